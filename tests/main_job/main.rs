//! The main job: the examples' server as a person starts it, with its three processes on real input.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

mod describe;
mod examples;
mod faces;
mod session_login;

use std::io::Read;
use std::process::{Command, Output, Stdio};

use examples::{Examples, program};
use process_tests::Event;
use process_tests::events::line_numbers;
use serde_json::{Value, json};
use tempfile::TempDir;

fn check_stream(first: &[Event], second: &[Event], run: &Value) {
    assert_eq!(run["status"], "succeeded", "{run}");
    assert_eq!((first[0].name.as_str(), second[0].name.as_str()), ("snapshot", "snapshot"));
    assert!(first.iter().any(|event| event.name == "progress"));
    let end = first.last().unwrap();
    assert_eq!((end.name.as_str(), &end.data["result"]), ("end", &run["result"]));
    assert!(end.data["elapsed_ms"].is_u64());
    // A viewer that joins in the middle sees the same end.
    assert_eq!(end, second.last().unwrap());
    assert_eq!(line_numbers(first).last(), line_numbers(second).last());
}

#[tokio::test]
async fn every_page_is_printed_and_served() {
    let examples = Examples::start();
    assert_eq!(examples.pages.len(), 4);
    for page in &examples.pages {
        let url = page.split_whitespace().next().unwrap();
        assert!(url.ends_with("/show_progress"), "{page}");
        let page = examples.client.get(url).header("accept", "text/html").send().await.unwrap();
        assert!(page.status() == 200 && page.text().await.unwrap().contains("<form"), "{url}");
    }
    assert_eq!(examples.get("/admin/backup-system/show_progress").await.status(), 200);
}

#[tokio::test]
async fn recalculate_prices_changes_real_table() {
    let examples = Examples::start();
    assert_eq!(examples.get("/recalculate-prices/start").await.status(), 204);
    let (first, second, run) = examples.run("recalculate-prices").await;
    check_stream(&first, &second, &run);
    assert_eq!(run["result"]["total"], 12_000);
    assert_eq!((&run["current"], &run["percent"]), (&json!(12_000), &json!(100.0)));
    assert!(run["result"]["changed"].as_u64().unwrap() > 5_000, "{run}");
    assert_eq!(examples.get("/recalculate-prices/start").await.status(), 204);
}

#[tokio::test]
async fn import_users_reports_broken_lines() {
    let examples = Examples::start();
    let (first, second, run) = examples.run("import-users").await;
    check_stream(&first, &second, &run);
    let result = &run["result"];
    let broken = result["broken"].as_u64().unwrap();
    assert!(broken > 100 && result["imported"].as_u64().unwrap() > 5_000, "{result}");
    let log = examples.get(&format!("/runs/{}/log", run["id"].as_str().unwrap())).await.text().await.unwrap();
    let errors: Vec<_> = log.lines().filter(|line| line.contains(" ERROR line ")).collect();
    assert_eq!(errors.len() as u64, broken);
    for error in errors {
        let (number, reason) = error.split_once(" ERROR line ").unwrap().1.split_once(": ").unwrap();
        assert!(number.parse::<u32>().is_ok() && reason.len() > 5, "{error}");
    }
    assert_eq!((&run["counts"]["failed"], &run["warnings"]), (&json!(broken), &json!(broken)));
    assert_eq!(run["failed_items"].as_array().unwrap().len(), 100);
}

#[tokio::test]
async fn backup_system_offers_real_archive() {
    let examples = Examples::start();
    let (first, second, run) = examples.run("admin/backup-system").await;
    check_stream(&first, &second, &run);
    let file = &run["files"][0];
    assert!(file["name"].as_str().unwrap().ends_with(".tar.gz"), "{file}");
    let response = examples.get(file["url"].as_str().unwrap()).await;
    let disposition = response.headers()["content-disposition"].to_str().unwrap().to_owned();
    assert!(disposition.contains(file["name"].as_str().unwrap()), "{disposition}");
    let archive = response.bytes().await.unwrap();
    assert_eq!(archive.len() as u64, file["size"].as_u64().unwrap());
    // The system's tar reads it, and finds the number of files in the result.
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("backup.tar.gz");
    std::fs::write(&path, &archive).unwrap();
    let listed = Command::new("tar").arg("-tzf").arg(&path).output().unwrap();
    assert!(listed.status.success(), "{listed:?}");
    let files = String::from_utf8(listed.stdout).unwrap().lines().filter(|line| !line.ends_with('/')).count();
    assert_eq!(run["result"]["files"], files, "{}", run["result"]);
}

/// The program's error when it cannot start: one line that names the setting.
fn refusal(setting: &str, value: &str) -> String {
    let folder = TempDir::new().unwrap();
    let mut command = program();
    command.env("PROCESS_DATA", folder.path()).env(setting, value);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let began = std::time::Instant::now();
    while child.try_wait().unwrap().is_none() {
        assert!(began.elapsed().as_secs() < 20, "the program started all the same");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let (mut stdout, mut stderr) = (String::new(), String::new());
    child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    let output = Output { status: child.wait().unwrap(), stdout: stdout.into(), stderr: Vec::new() };
    assert_eq!(
        (output.status.code(), output.stdout.len(), stderr.lines().count()),
        (Some(1), 0, 1),
        "{stderr}"
    );
    stderr
}

#[test]
fn busy_port_error_names_process_addr() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap().to_string();
    let said = refusal("PROCESS_ADDR", &addr);
    assert!(said.contains("PROCESS_ADDR") && said.contains(&addr), "{said}");
}

#[test]
fn bad_address_or_pace_names_setting() {
    let said = refusal("PROCESS_ADDR", "here");
    assert!(said.contains("PROCESS_ADDR") && said.contains("127.0.0.1:3000"), "{said}");
    let said = refusal("PROCESS_PACE", "slow");
    assert!(said.contains("PROCESS_PACE"), "{said}");
}

#[test]
fn unusable_data_folder_names_process_data() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let said = refusal("PROCESS_DATA", file.path().join("below").to_str().unwrap());
    assert!(said.contains("PROCESS_DATA") && said.contains(file.path().to_str().unwrap()), "{said}");
    let said = refusal("PROCESS_DATA", "/proc/no-folder-can-be-made-here");
    assert!(said.contains("PROCESS_DATA"), "{said}");
}
