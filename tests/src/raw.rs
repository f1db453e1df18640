//! A router that is called without a network: fast tests with any bytes.

use std::cell::OnceCell;
use std::io::Read as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use flate2::read::GzDecoder;
use process_runtime::{AccessRequest, Builder, Denied, Processes, RunHandle, RunStatus, StartError};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

use crate::fixtures::{Count, CountInput, Traces};

pub const FORM: &str = "application/x-www-form-urlencoded";
pub const JSON: &str = "application/json";
/// With a boundary that mutations find soon.
pub const MULTIPART: &str = "multipart/form-data; boundary=b";

/// The response.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub location: Option<String>,
    /// The language of a page.
    pub language: Option<String>,
    pub text: String,
}

/// A router with all fixtures.
#[derive(Debug)]
pub struct Raw {
    pub processes: Processes,
    router: Router,
    folder: TempDir,
    pub runtime: Runtime,
    ended: OnceCell<(String, String)>,
}

impl Raw {
    #[expect(clippy::new_without_default, reason = "it opens files")]
    pub fn new() -> Self {
        Self::built(|builder| builder)
    }

    /// The same without permission to view anything, except by share links.
    pub fn closed() -> Self {
        Self::built(|builder| builder.authorize(async |_: AccessRequest| Err(Denied::not_found())))
    }

    fn built(with: impl FnOnce(Builder) -> Builder) -> Self {
        let folder = TempDir::new().unwrap();
        let builder = process_runtime::builder().state_arc(Arc::new(Traces::default()));
        let processes = with(builder.data_dir(folder.path())).build().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        Self { router: processes.router(), processes, folder, runtime, ended: OnceCell::new() }
    }

    /// The path of a run with a log of 30 lines, which has ended.
    pub fn ended(&self) -> &str {
        &self.run().0
    }

    /// A link to it.
    pub fn link(&self) -> &str {
        &self.run().1
    }

    fn run(&self) -> &(String, String) {
        self.ended.get_or_init(|| {
            let counted = async {
                let run: RunHandle =
                    Count::start(&self.processes, CountInput { total: 30, pause: 0 }).await?;
                assert_eq!(run.wait().await.unwrap().status, RunStatus::Succeeded);
                let link = self.processes.share(run.id(), Duration::from_secs(86_400));
                Ok::<_, StartError>((format!("/runs/{}", run.id()), link))
            };
            self.runtime.block_on(counted).unwrap()
        })
    }

    /// Sends a body in pieces to a process with every kind of field. It must never be a server error.
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

    /// Sends a request, to localhost if it has no host.
    pub fn ask(&self, mut request: Request<Body>) -> Answer {
        let host = axum::http::HeaderValue::from_static("localhost");
        request.headers_mut().entry("host").or_insert(host);
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let status = response.status().as_u16();
            let header = |name| response.headers().get(name).map(|text| text.to_str().unwrap().to_owned());
            let (location, language) = (header("location"), header("content-language"));
            assert_eq!(header("x-content-type-options").as_deref(), Some("nosniff"));
            let is_packed = header("content-encoding").as_deref() == Some("gzip");
            let mut bytes = to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec();
            if is_packed {
                let packed = std::mem::take(&mut bytes);
                GzDecoder::new(&packed[..]).read_to_end(&mut bytes).unwrap();
            }
            let text = String::from_utf8(bytes).expect("answers are UTF-8");
            assert!(status < 500, "{status}: {text}");
            Answer { status, location, language, text }
        })
    }

    /// The files that uploads have left behind.
    pub fn staged(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.folder.path().join("uploads/staging"));
        entries.into_iter().flatten().map(|entry| entry.unwrap().path()).collect()
    }
}

/// One input of a fuzzer: its first bytes define the pieces of the body and the Accept header.
pub fn fuzz(raw: &Raw, content_type: &str, data: &[u8]) {
    let Some((how, body)) = data.split_first() else { return };
    let accept = if how & 1 == 0 { "application/json" } else { "text/html" };
    let size = usize::from(how >> 1).max(1);
    raw.send(content_type, accept, body.chunks(size).map(<[u8]>::to_vec).collect());
}
