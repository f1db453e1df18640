//! A lock that a stopped run has poisoned: viewers see no details, and the operator's log names the remedy.

use std::sync::{Mutex, PoisonError};

use process_runtime::prelude::*;
use process_tests::Server;
use serde_json::json;

use super::heard;

/// Shared by all runs, as a state is. Other tests of this program have no such state.
static BASKET: Mutex<u64> = Mutex::new(0);

/// Holds the guard over helper calls, until it is cancelled.
#[process(title = "Holding a lock")]
async fn holds_a_lock(how: String) -> Result<u64, String> {
    let lock = match how.as_str() {
        "holds" => {
            let mut items = BASKET.lock().unwrap();
            loop {
                *items += 1;
                set_progress_text(format!("item {items}"));
                std::thread::sleep(std::time::Duration::from_millis(1));
            }
        }
        "unwraps" => Ok(BASKET.lock().unwrap()),
        "returns" => BASKET.lock().map_err(|error| error.to_string()),
        _ => Ok(BASKET.lock().unwrap_or_else(PoisonError::into_inner)),
    };
    lock.map(|items| *items)
}

#[tokio::test(flavor = "multi_thread")]
async fn poisoned_lock_log_names_cure() {
    heard::listen();
    let server = Server::start().await;
    let run = async |how: &str| server.run("holds-a-lock", json!({ "how": how })).await;
    let stopped = run("holds").await;
    server.until_status(&stopped, "running").await;
    for _ in 0..500 {
        let found = process_tests::server::json(server.get(&stopped).send().await.unwrap()).await;
        if found["text"] != "" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    server.post(&format!("{stopped}/cancel")).send().await.unwrap();
    assert_eq!(server.ended(&stopped).await["status"], "cancelled");
    for (how, error) in
        [("unwraps", "the process panicked"), ("returns", "poisoned lock: another task failed inside")]
    {
        let failed = run(how).await;
        assert_eq!(server.ended(&failed).await["error"], error);
        let id = failed.trim_start_matches("/runs/");
        let said = heard::said();
        let hint = said.iter().find(|one| {
            one.message().starts_with("a lock seems to be poisoned")
                && one.fields.get("run").is_some_and(|run| run == id)
        });
        let hint = hint.unwrap_or_else(|| panic!("{how}: nothing was said of it"));
        assert_eq!(hint.fields["process"], "holds-a-lock");
        assert!(hint.message().contains("unwrap_or_else(PoisonError::into_inner)"), "{hint:?}");
    }
    // And so it helps.
    assert_eq!(server.ended(&run("cured").await).await["status"], "succeeded");
}
