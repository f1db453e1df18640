//! The order of the queue: concurrency, keys, priorities, limits.

use std::time::Duration;

use futures_util::future::join_all;
use process_tests::Server;
use process_tests::server::json;
use process_tests::survivors::{ServesShops, ServesShopsInput};
use serde_json::{Value, json};

async fn status(server: &Server, run: &str) -> Value {
    json(server.get(run).send().await.unwrap()).await["status"].clone()
}

/// The runs in the order in which they began.
async fn by_start(server: &Server, runs: &[String]) -> Vec<usize> {
    let ended = join_all(runs.iter().map(|run| server.ended(run))).await;
    let mut order: Vec<usize> = (0..runs.len()).collect();
    order.sort_by_key(|index| {
        ended[*index]["started_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap()
    });
    order
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrency_key_blocks_no_others() {
    let server = Server::start().await;
    let mut runs = Vec::new();
    for shop in ["north", "north", "north", "south"] {
        runs.push(server.run("serves-shops", json!({ "shop": shop, "pause": 600 })).await);
    }
    server.until_status(&runs[3], "running").await;
    assert_eq!(status(&server, &runs[0]).await, "running");
    assert_eq!(status(&server, &runs[1]).await, "running");
    assert_eq!(status(&server, &runs[2]).await, "queued");
    server.until_status(&runs[2], "running").await;
    for run in &runs {
        assert_eq!(server.ended(run).await["status"], "succeeded");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn process_concurrency_limit_holds() {
    let server = Server::start().await;
    let notes = tempfile::tempdir().unwrap();
    let input = json!({ "folder": notes.path(), "pause": 300 });
    let mut runs = Vec::new();
    for _ in 0..7 {
        runs.push(server.run("begins-once", input.clone()).await);
    }
    let mut most = 0;
    while server.processes.running() > 0 || status(&server, &runs[6]).await != "succeeded" {
        most = most.max(server.processes.running());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(most, 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn priority_then_age_orders_queue() {
    let server = Server::start().await;
    let input = |pause| ServesShopsInput { shop: "one".into(), pause };
    let mut runs = Vec::new();
    // Two slots, used by the first two.
    for (priority, pause) in [(0, 300), (0, 300), (0, 20), (5, 20), (-1, 20), (5, 20), (0, 20)] {
        let start = ServesShops::start(&server.processes, input(pause)).priority(priority);
        runs.push(format!("/runs/{}", start.await.unwrap().id()));
        if runs.len() == 2 {
            server.until_status(&runs[1], "running").await;
        }
    }
    let order = by_start(&server, &runs).await;
    assert_eq!(order[2..], [3, 5, 2, 6, 4]);
}

#[tokio::test(flavor = "multi_thread")]
async fn max_running_limit_holds() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::built(folder, "", |builder| builder.max_running(2)).await;
    let mut runs = Vec::new();
    for route in ["tally", "serves-shops", "blocks", "begins-once"] {
        let notes = server.folder.path();
        let input = match route {
            "tally" => json!({ "folder": notes, "items": 1, "pause": 200 }),
            "serves-shops" => json!({ "shop": "one", "pause": 200 }),
            "blocks" => json!({ "milliseconds": 200 }),
            _ => json!({ "folder": notes, "pause": 200 }),
        };
        runs.push(server.run(route, input).await);
    }
    let mut most = 0;
    while server.processes.running() > 0 || status(&server, &runs[3]).await != "succeeded" {
        most = most.max(server.processes.running());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(most, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn zero_max_running_leaves_runs_queued() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::built(folder, "", |builder| builder.max_running(0)).await;
    let run = server.run("blocks", json!({ "milliseconds": 1 })).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(status(&server, &run).await, "queued");
    let cancel = server.post(&format!("{run}/cancel")).send().await.unwrap();
    assert!(cancel.status().is_success(), "{}", cancel.status());
    assert_eq!(status(&server, &run).await, "cancelled");
    assert_eq!(server.processes.running(), 0);
}
