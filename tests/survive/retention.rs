//! Retention: removal of old runs, with their logs and files.

use std::time::Duration;

use process_tests::forms::started;
use process_tests::{Multipart, Server};
use serde_json::json;
use tempfile::TempDir;

async fn until_gone(server: &Server, run: &str) {
    for _ in 0..400 {
        if server.get(run).send().await.unwrap().status() == 404 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{run} is still there after 8 seconds");
}

#[tokio::test(flavor = "multi_thread")]
async fn retention_removes_run_log_and_files() {
    let folder = TempDir::new().unwrap();
    let server = Server::built(folder, "", |builder| builder.retain_for(Duration::from_secs(2))).await;
    let writes = server.run("writes-a-file", json!({})).await;
    let ended = server.ended(&writes).await;
    let file = ended["files"][0]["url"].as_str().unwrap().to_owned();
    let url = server.url.clone();
    assert_eq!(reqwest::get(format!("{url}{file}")).await.unwrap().status(), 200);
    let form = Multipart::new().file("files", "a.txt", b"1").file("files", "b.txt", b"2");
    let gathers = started(server.multipart("gather", form)).await;
    let gathers = format!("/runs/{}", gathers["id"].as_str().unwrap());
    server.ended(&gathers).await;
    let waits = server.run("wait", json!({})).await;
    let data = server.folder.path();
    let id = |run: &str| run.trim_start_matches("/runs/").to_owned();
    assert!(data.join("files").join(id(&writes)).exists());
    assert!(data.join("uploads").join(id(&gathers)).exists());
    for run in [&writes, &gathers] {
        until_gone(&server, run).await;
        assert_eq!(server.get(&format!("{run}/log")).send().await.unwrap().status(), 404);
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!data.join("files").join(id(&writes)).exists());
    assert!(!data.join("uploads").join(id(&gathers)).exists());
    // An active run is kept, however long it takes.
    server.until_status(&waits, "running").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn file_type_is_guessed_by_name() {
    let server = Server::start().await;
    for (name, media_type) in [
        ("report.csv", "text/csv"),
        ("a.html", "text/html"),
        ("backup.zip", "application/zip"),
        ("x", "application/octet-stream"),
    ] {
        let run = server.run("writes-a-file", json!({ "name": name })).await;
        let ended = server.ended(&run).await;
        assert_eq!(ended["files"][0]["type"], media_type, "{ended}");
        let file = server.get(&format!("{run}/files/{name}")).send().await.unwrap();
        assert_eq!(file.headers()["content-type"], media_type);
        let disposition = file.headers()["content-disposition"].to_str().unwrap().to_owned();
        assert!(disposition.starts_with("attachment") && disposition.contains(name), "{disposition}");
        assert_eq!(file.headers()["x-content-type-options"], "nosniff");
    }
}
