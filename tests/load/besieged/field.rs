//! State that all participants share: the address of the program, the clock, and the end of the siege.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::plan::Plan;

/// An answer that does not come within this time is none.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Field {
    pub(super) plan: Plan,
    pub(super) addr: SocketAddr,
    http: reqwest::Client,
    began: Instant,
    /// Why it was broken off.
    pub(super) over: watch::Sender<Option<String>>,
}

impl Field {
    pub(super) fn new(plan: Plan, addr: SocketAddr) -> Self {
        let http = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
        Self { plan, addr, http, began: Instant::now(), over: watch::Sender::new(None) }
    }

    /// How long it has been going on.
    pub(super) fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// Waits for this moment. False when the siege is over by then.
    pub(super) async fn wait_for(&self, moment: Duration) -> bool {
        let mut over = self.over.subscribe();
        let end = self.plan.length;
        tokio::select! {
            _ = over.wait_for(Option::is_some) => false,
            () = sleep_until(self.began + moment.min(end)) => moment < end,
        }
    }

    /// Does this until the siege is over.
    pub(super) async fn while_it_lasts(&self, task: impl Future<Output = ()>) {
        let mut over = self.over.subscribe();
        tokio::select! {
            _ = over.wait_for(Option::is_some) => {}
            () = sleep_until(self.began + self.plan.length) => {}
            () = task => {}
        }
    }

    pub(super) fn was_broken_off(&self) -> Option<String> {
        self.over.borrow().clone()
    }

    /// The status and body of a response; `None` if there was none.
    pub(super) async fn get(&self, path: &str) -> Option<(u16, String)> {
        let response = self.http.get(format!("http://{}{path}", self.addr));
        let response = response.header("accept", "application/json").send().await.ok()?;
        Some((response.status().as_u16(), response.text().await.ok()?))
    }

    pub(super) async fn get_json(&self, path: &str) -> Option<(u16, Value)> {
        let (status, text) = self.get(path).await?;
        Some((status, serde_json::from_str(&text).unwrap_or_default()))
    }

    /// The same for a start: the run it was answered with.
    pub(super) async fn start(&self, route: &str, input: &Value) -> Option<(u16, Value)> {
        let request = self.http.post(format!("http://{}/{route}/start", self.addr));
        let request = request.header("content-type", "application/json").header("accept", "application/json");
        let response = request.body(input.to_string()).send().await.ok()?;
        let status = response.status().as_u16();
        Some((status, serde_json::from_str(&response.text().await.ok()?).unwrap_or_default()))
    }

    /// Starts a run that must succeed, and returns its path.
    pub(super) async fn begin(&self, route: &str, input: &Value) -> String {
        let (status, run) = self.start(route, input).await.unwrap();
        assert_eq!(status, 201, "{route}: {run}");
        format!("/runs/{}", run["id"].as_str().unwrap())
    }

    /// The run as soon as it has ended; as it is then, when it has not within this time.
    pub(super) async fn ended(&self, path: &str, within: Duration) -> Value {
        let until = Instant::now() + within;
        loop {
            let run = self.get_json(path).await.map(|(_, run)| run).unwrap_or_default();
            if !run["finished_at"].is_null() || Instant::now() >= until {
                return run;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}
