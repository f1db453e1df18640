//! A run that continues only when the test has seen its last step, which reveals buffering without a clock.

use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};

use crate::site::Site;

/// A run that takes a step on request; each step logs a line and reports progress.
pub struct Stepwise {
    pub run: String,
    word: TcpStream,
}

impl Stepwise {
    pub async fn start(site: &Site, steps: u64) -> Self {
        Self::of(site, "waits-for-a-word", json!({ "steps": steps })).await
    }

    /// A run of another process that waits for the listener, whose `address` it receives.
    pub async fn of(site: &Site, route: &str, mut input: Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        input["address"] = listener.local_addr().unwrap().to_string().into();
        let run = site.run(route, input).await;
        let (word, _) = listener.accept().await.unwrap();
        Self { run, word }
    }

    /// Lets it take its next step, or end after its last one.
    pub async fn go_on(&mut self) {
        self.word.write_u8(1).await.unwrap();
    }
}
