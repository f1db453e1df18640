//! A server in this process: on a free port, with a data folder that disappears.

use std::ops::Deref;
use std::sync::Arc;

use axum::Router;
use process_runtime::{Builder, Processes, serve_until};
use tempfile::TempDir;

use crate::fixtures::Traces;
use crate::site::Site;

pub use crate::site::json;

pub struct Server {
    pub processes: Processes,
    pub traces: Arc<Traces>,
    pub folder: TempDir,
    /// Where the router is mounted.
    site: Site,
}

impl Deref for Server {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

impl Server {
    pub async fn start() -> Self {
        Self::nested("").await
    }

    /// A server whose router is mounted under a prefix, such as `/a/b`.
    pub async fn nested(prefix: &str) -> Self {
        Self::in_folder(TempDir::new().unwrap(), prefix).await
    }

    pub async fn in_folder(folder: TempDir, prefix: &str) -> Self {
        Self::built(folder, prefix, |builder| builder).await
    }

    /// A server with more settings.
    pub async fn built(folder: TempDir, prefix: &str, with: impl FnOnce(Builder) -> Builder) -> Self {
        let traces = Arc::new(Traces::default());
        let builder = with(process_runtime::builder().state_arc(Arc::clone(&traces)));
        let processes = builder.data_dir(folder.path()).build().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}{prefix}", listener.local_addr().unwrap());
        // Both ways to serve processes: alone, and in another axum application.
        match prefix {
            "" => {
                tokio::spawn(serve_until(listener, processes.clone(), std::future::pending()));
            }
            prefix => {
                let router = Router::new().nest(prefix, processes.router());
                tokio::spawn(async move { axum::serve(listener, router.into_make_service()).await });
            }
        }
        Self { processes, traces, folder, site: Site::at(url) }
    }

    /// The same with a new connection for each request.
    #[must_use]
    pub fn asked_anew(self) -> Self {
        let site = Site::with(self.url.clone(), |client| client.pool_max_idle_per_host(0));
        Self { site, ..self }
    }
}
