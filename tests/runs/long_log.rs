//! A long log keeps its beginning, its end and warnings, and counts the missing lines.

use process_runtime::Limits;
use process_tests::events::line_numbers;
use process_tests::{Events, Server};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The numbers of the lines in a downloaded log, and the reported number of missing ones. Each line contains its
/// number, so a wrong count is detected.
fn read(log: &str) -> (Vec<u64>, u64) {
    let (mut numbers, mut omitted, mut before) = (Vec::new(), 0, 0);
    for line in log.lines() {
        match line.strip_prefix("… ") {
            Some(rest) => {
                let (count, words) = rest.split_once(' ').unwrap();
                let count: u64 = count.replace(',', "").parse().unwrap();
                assert_eq!(words, if count == 1 { "line omitted …" } else { "lines omitted …" });
                omitted += count;
                before += count;
            }
            None => {
                let number = line.split_once(" line ").unwrap().1.split(':').next().unwrap();
                numbers.push(number.parse().unwrap());
                before += 1;
                assert_eq!(numbers.last(), Some(&before), "{line}");
            }
        }
    }
    (numbers, omitted)
}

async fn download(server: &Server, run: &str, query: &str) -> String {
    server.get(&format!("{run}/log{query}")).send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn long_log_keeps_head_tail_warnings() {
    let folder = TempDir::new().unwrap();
    let server = Server::built(folder, "", |builder| {
        builder.limits(Limits::default().max_log_head_lines(10).max_log_tail_lines(80))
    })
    .await;
    let run = server.run("grumbles", json!({ "pause": 20 })).await;
    let events = server.events(&run).await.all().await;
    assert_eq!(line_numbers(&events), (1..=2_000).collect::<Vec<_>>());
    let (numbers, omitted) = read(&download(&server, &run, "").await);
    let (kept, tail) = numbers.split_at(13);
    assert_eq!(kept, (1..=10).chain([500, 1_000, 1_500]).collect::<Vec<_>>());
    assert!((80..=90).contains(&tail.len()) && tail.last() == Some(&2_000), "{tail:?}");
    assert_eq!(numbers.len() as u64 + omitted, 2_000);
    // Starting at a line in the omitted part.
    let rest = download(&server, &run, "?after=700").await;
    let first: Vec<_> = rest.lines().take(2).collect();
    assert_eq!(first[0], "… 299 lines omitted …");
    assert!(first[1].contains("line 1000: hm"), "{first:?}");
    // The page shows the same.
    let page = server.get(&run).header("accept", "text/html").send().await.unwrap().text().await.unwrap();
    for marker in ["489 lines omitted", "499 lines omitted"] {
        assert!(page.contains(marker), "{marker} is missing in {page}");
    }
    let again = server.events(&run).await.all().await;
    assert_eq!(line_numbers(&again), numbers);
}

#[tokio::test]
async fn million_line_log_stays_small() {
    let server = Server::start().await;
    let run = server.run("grumbles", json!({ "lines": 1_000_000, "every": 2_000, "pause": 0 })).await;
    let bar = format!("/events?progress={}", run.trim_start_matches("/runs/"));
    Events::of(server.get(&bar).send().await.unwrap()).all().await;
    let ended = server.ended(&run).await;
    assert_eq!((&ended["status"], &ended["error"]), (&json!("succeeded"), &Value::Null));
    let (numbers, omitted) = read(&download(&server, &run, "").await);
    assert!(numbers.len() <= 50_000 + 500, "{} lines", numbers.len());
    assert_eq!((numbers.len() as u64 + omitted, numbers.last()), (1_000_000, Some(&1_000_000)));
    assert_eq!(ended["omitted_lines"], omitted);
    let warnings = download(&server, &run, "?level=warn").await;
    assert_eq!(warnings.lines().count(), 500);
}
