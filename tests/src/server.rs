//! Owns a server in this process: on a free port, with a data folder that disappears.
//! Refuses to know what is asked of it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use process_runtime::{Builder, Processes, serve_until};
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;
use tempfile::TempDir;

use crate::events::Events;
use crate::fixtures::Traces;

pub struct Server {
    pub processes: Processes,
    pub traces: Arc<Traces>,
    pub client: Client,
    pub folder: TempDir,
    /// Where the router is mounted, without a slash at its end.
    pub url: String,
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

    /// A server with more said to its builder.
    pub async fn built(folder: TempDir, prefix: &str, with: impl FnOnce(Builder) -> Builder) -> Self {
        let traces = Arc::new(Traces::default());
        let builder = with(process_runtime::builder().shared_state(Arc::clone(&traces)));
        let processes = builder.data(folder.path()).build().unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}{prefix}", listener.local_addr().unwrap());
        // Both ways in which a program may serve its processes: alone, and in an application of its own.
        match prefix {
            "" => {
                tokio::spawn(serve_until(listener, processes.clone(), std::future::pending()));
            }
            prefix => {
                let router = Router::new().nest(prefix, processes.router());
                tokio::spawn(async move { axum::serve(listener, router.into_make_service()).await });
            }
        }
        let client = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        Self { processes, traces, client, folder, url }
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.url))
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.url))
    }

    /// Starts a run with a JSON body and gives its URL below the mount, such as `/runs/0197…`.
    pub async fn run(&self, route: &str, input: Value) -> String {
        let request = self.post(&format!("/{route}/start")).header("content-type", "application/json");
        let response = request.body(input.to_string()).send().await.unwrap();
        assert_eq!(response.status(), 201);
        let run = json(response).await;
        format!("/runs/{}", run["id"].as_str().unwrap())
    }

    /// The stream of a run.
    pub async fn events(&self, run: &str) -> Events {
        Events::of(self.get(&format!("{run}/events")).send().await.unwrap())
    }

    /// The run as JSON, once it has ended.
    pub async fn ended(&self, run: &str) -> Value {
        self.events(run).await.all().await;
        json(self.get(run).send().await.unwrap()).await
    }

    /// The run as JSON, as soon as it has this status.
    pub async fn until_status(&self, run: &str, status: &str) -> Value {
        for _ in 0..500 {
            let found = json(self.get(run).send().await.unwrap()).await;
            if found["status"] == status {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{run} did not become {status} within 10 seconds");
    }
}

pub async fn json(response: Response) -> Value {
    serde_json::from_str(&response.text().await.unwrap()).unwrap()
}
