//! Owns a router that is asked without a network: any bytes as the body of a start, as often as one likes.
//! Refuses to know which bytes are worth it.

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use process_runtime::Processes;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

use crate::fixtures::Traces;

pub const FORM: &str = "application/x-www-form-urlencoded";
pub const JSON: &str = "application/json";
/// With a boundary that mutations find soon.
pub const MULTIPART: &str = "multipart/form-data; boundary=b";

/// What was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub location: Option<String>,
    pub text: String,
}

/// A router with all fixtures.
#[derive(Debug)]
pub struct Raw {
    pub processes: Processes,
    router: Router,
    folder: TempDir,
    pub runtime: Runtime,
}

impl Raw {
    #[expect(clippy::new_without_default, reason = "it opens files")]
    pub fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let builder = process_runtime::builder().shared_state(Arc::new(Traces::default()));
        let processes = builder.data(folder.path()).build().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { router: processes.router(), processes, folder, runtime }
    }

    /// Sends the pieces of a body to a process of every kind of field. Whatever they are, it is no fault of
    /// the server.
    pub fn send(&self, content_type: &str, accept: &str, pieces: Vec<Vec<u8>>) -> Answer {
        self.post("/fields/everything/start", content_type, accept, pieces)
    }

    pub fn post(&self, path: &str, content_type: &str, accept: &str, pieces: Vec<Vec<u8>>) -> Answer {
        let pieces = pieces.into_iter().map(Ok::<_, std::io::Error>);
        let body = Body::from_stream(futures_util::stream::iter(pieces));
        let request = Request::post(path).header("content-type", content_type);
        self.ask(request.header("accept", accept).body(body).unwrap())
    }

    pub fn get(&self, path: &str, accept: &str) -> Answer {
        self.ask(Request::get(path).header("accept", accept).body(Body::empty()).unwrap())
    }

    fn ask(&self, mut request: Request<Body>) -> Answer {
        request.headers_mut().insert("host", axum::http::HeaderValue::from_static("localhost"));
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let status = response.status().as_u16();
            let location = response.headers().get("location").map(|url| url.to_str().unwrap().to_owned());
            let text = to_bytes(response.into_body(), usize::MAX).await.unwrap();
            let text = String::from_utf8(text.into()).expect("answers are UTF-8");
            assert!(status < 500, "{status}: {text}");
            Answer { status, location, text }
        })
    }

    /// What uploads have left behind.
    pub fn staged(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path().join("uploads/staging"));
        entries.into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
    }
}

/// One body of a fuzzer: its first bytes say how it is cut into pieces and what is wanted for an answer.
pub fn fuzz(raw: &Raw, content_type: &str, data: &[u8]) {
    let Some((how, body)) = data.split_first() else { return };
    let accept = if how & 1 == 0 { "application/json" } else { "text/html" };
    let size = usize::from(how >> 1).max(1);
    raw.send(content_type, accept, body.chunks(size).map(<[u8]>::to_vec).collect());
}
