//! The URL of a mount, for an independent client: starting and watching runs.

use std::time::Duration;

use reqwest::{Client, ClientBuilder, RequestBuilder, Response};
use serde_json::Value;

use crate::events::Events;

pub struct Site {
    pub client: Client,
    /// Where the router is reached, without a slash at its end.
    pub url: String,
}

impl Site {
    pub fn at(url: impl Into<String>) -> Self {
        Self::with(url, |client| client)
    }

    /// The same with more settings of the client.
    pub fn with(url: impl Into<String>, with: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Self {
        let client = Client::builder().redirect(reqwest::redirect::Policy::none());
        Self { client: with(client).build().unwrap(), url: url.into() }
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.url))
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.url))
    }

    /// Starts a run with a JSON body, and returns its path below the mount, such as `/runs/0197…`.
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
