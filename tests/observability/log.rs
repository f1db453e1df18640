//! The operator's log: foreign text cannot forge lines, control the terminal, or reveal secrets.

use std::sync::Arc;

use process_runtime::store::Store;
use process_runtime::store::sqlite::{SqliteStore, Synchronous};
use process_runtime::{AccessRequest, Actor};
use process_tests::Server;
use process_tests::plain::Plain;
use serde_json::json;
use tempfile::TempDir;

use super::heard::{self, Said};

const PAYLOADS: [&str; 8] = [
    "a\n2026-11-21T00:00:00Z ERROR process_runtime: forged",
    "a\r\nforged",
    "\u{1b}[2J\u{1b}]0;title\u{7}",
    "\u{9b}31m",
    "a\0b\u{8}\u{8}\u{7f}",
    "\u{202e}desrever\u{2066}\u{2069}\u{200f}\u{61c}",
    "a\u{2028}b\u{2029}c\u{85}d",
    "\t\u{b}\u{c}",
];

/// The events of the runtime.
fn ours() -> Vec<Said> {
    heard::said().into_iter().filter(|one| one.target.starts_with("process_runtime::")).collect()
}

fn is_one_plain_line(text: &str) -> bool {
    let steers = ['\u{61c}', '\u{200e}', '\u{200f}', '\u{2028}', '\u{2029}'];
    let directs = |c| ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c);
    !text.contains(|c: char| c.is_control() || steers.contains(&c) || directs(c))
}

#[tokio::test]
async fn untrusted_text_is_one_log_line() {
    heard::listen();
    let folder = TempDir::new().unwrap();
    let plain = Plain::of(SqliteStore::open(folder.path(), Synchronous::Normal).unwrap());
    let store: Arc<dyn Store> = plain.clone();
    let server = Server::built(folder, "", |builder| builder.store(store)).await;
    for text in PAYLOADS {
        // The panic message of a process.
        let run = server.run("panics-aloud", json!({ "text": text })).await;
        assert_eq!(server.ended(&run).await["error"], "the process panicked");
        // The name of a file that has gone from the disk.
        let run = server.run("writes-a-file", json!({ "name": text })).await;
        let run = server.ended(&run).await;
        if let Some(address) = run["files"][0]["url"].as_str() {
            let kept = server.folder.path().join("files").join(run["id"].as_str().unwrap());
            std::fs::remove_dir_all(kept).unwrap();
            assert_eq!(server.get(address).send().await.unwrap().status(), 404, "{text:?}");
        }
        // Text from a client.
        let request = server.get(&format!("/{}?{}", url_encoded(text), url_encoded(text)));
        request.header("user-agent", text.replace(char::is_control, "")).send().await.unwrap();
    }
    // An error of a store.
    plain.fail(true);
    for path in ["/", "/runs", "/readyz"] {
        assert_eq!(server.get(path).send().await.unwrap().status(), 503);
    }
    plain.fail(false);
    let said = ours();
    for one in &said {
        for (name, value) in &one.fields {
            assert!(is_one_plain_line(value), "{name} of {one:?}");
        }
        for span in &one.within {
            assert!(span.fields.values().all(|value| is_one_plain_line(value)), "{span:?}");
        }
    }
    let has = |text: &str| assert!(said.iter().any(|one| one.message().contains(text)), "{text}: {said:#?}");
    has("the process panicked: a\\n2026-11-21T00:00:00Z ERROR process_runtime: forged");
    has("the process panicked: \\u{1b}[2J\\u{1b}]0;title\\u{7}");
    has("could not open the file");
    has("the store is unavailable: the disk\\r\\nfell \\u{1b}[31mout");
}

#[tokio::test]
async fn cancel_and_share_log_the_actor() {
    heard::listen();
    let server = Server::built(TempDir::new().unwrap(), "", |builder| {
        builder.authorize(async |_: AccessRequest| Ok(Actor::named("ada\nforged")))
    })
    .await;
    let run = server.run("wait", json!({})).await;
    for what in ["share", "cancel"] {
        let answer = server.post(&format!("{run}/{what}")).send().await.unwrap();
        assert!(answer.status().is_success(), "{what}: {answer:?}");
    }
    let id = run.trim_start_matches("/runs/");
    let said: Vec<_> =
        ours().into_iter().filter(|one| one.fields.get("run").is_some_and(|run| run == id)).collect();
    let says = |begins: &str, ends: &str| {
        said.iter().any(|one| one.message().starts_with(begins) && one.message().ends_with(ends))
    };
    assert!(says("cancel was requested by ", "ada\\nforged"), "{said:?}");
    assert!(says("shared until ", " by ada\\nforged"), "{said:?}");
}

fn url_encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

#[tokio::test]
async fn secret_is_never_logged() {
    heard::listen();
    let canary = "kanarienvogel-9a41";
    let server = Server::start().await;
    for (end, status) in
        [("success", "succeeded"), ("failure", "failed"), ("panic", "failed"), ("timeout", "failed")]
    {
        let run = server.run("keeps-a-secret", json!({ "password": canary, "end": end })).await;
        let ended = server.ended(&run).await;
        assert_eq!(ended["status"], status, "{ended}");
        let log = server.get(&format!("{run}/log")).send().await.unwrap().text().await.unwrap();
        assert!(!format!("{ended} {log}").contains(canary));
    }
    let form = [("password", canary), ("end", "success"), ("nobody-knows-this", canary)];
    let refused = server.form("keeps-a-secret", &form).header("idempotency-key", "k").send().await.unwrap();
    assert_eq!(refused.status(), 422);
    server.get(&format!("/keeps-a-secret/show_progress?password={canary}")).send().await.unwrap();
    let heard = format!("{:?} {:?} {:?}", heard::said(), heard::closed("run"), heard::closed("request"));
    assert!(heard.contains("what is logged of it") && heard.contains("the process panicked"));
    assert!(!heard.contains(canary));
}
