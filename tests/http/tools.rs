//! The output of tools in texts of a run: every reader gets the same clean text, and its colours.

use process_tests::logging::OUTPUT;
use process_tests::{Event, Server};
use serde_json::{Value, json};

/// The lines of a run's log as these events bring them, by number.
fn lines(events: &[Event]) -> Vec<Value> {
    let mut lines: Vec<Value> = Vec::new();
    for event in events {
        match event.name.as_str() {
            "snapshot" => lines.extend(event.data["log"]["lines"].as_array().unwrap().iter().cloned()),
            "log" => {
                let mut line = event.data.clone();
                line.as_object_mut().unwrap().remove("run");
                lines.push(line);
            }
            _ => {}
        }
    }
    lines
}

fn texts(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["text"].as_str().unwrap()).collect()
}

fn is_clean(text: &str) -> bool {
    let directs = |c| ('\u{202a}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c);
    !text.contains(|c: char| directs(c) || (c.is_control() && c != '\n' && c != '\t'))
}

async fn page(server: &Server, path: &str) -> String {
    server.get(path).header("accept", "text/html").send().await.unwrap().text().await.unwrap()
}

#[tokio::test]
async fn tool_output_reads_alike_everywhere() {
    let server = Server::start().await;
    let run = server.run("speaks-like-a-tool", json!({})).await;
    let live = server.events(&run).await.all().await;
    let ended = server.ended(&run).await;
    let again = server.events(&run).await.all().await;

    let expected: Vec<_> = OUTPUT.iter().map(|(_, text)| *text).collect();
    assert_eq!(texts(&lines(&live))[..OUTPUT.len()], expected);
    assert_eq!(lines(&live), lines(&again), "live and after a reload");

    assert_eq!(ended["title"], "Build");
    assert_eq!(ended["text"], "20%");
    assert_eq!(ended["stage"]["name"], "Link ing");
    assert_eq!(ended["counts"], json!({ "ok": 2, "failed": 1 }));
    assert_eq!(ended["failed_items"], json!([{ "item": "main.rs", "reason": "no\nway" }]));
    assert_eq!(ended["error"], "error: it does not link");
    let end = &live.last().unwrap().data;
    assert_eq!((&end["error"], &end["failed_items"]), (&ended["error"], &ended["failed_items"]));

    let download = server.get(&format!("{run}/log")).send().await.unwrap().text().await.unwrap();
    let shown = page(&server, &run).await;
    assert!(is_clean(&download) && is_clean(&shown), "{download}{shown}");
    assert!(
        expected.iter().all(|text| download.contains(&format!(" INFO {text}\n")) || text.contains('\n')),
        "{download}"
    );
    for sought in ["ERROR%20disk", "see%20the%20page%20for", "error:%20expected"] {
        let found = server.get(&format!("{run}/log?q={sought}")).send().await.unwrap().text().await.unwrap();
        assert_eq!(found.lines().count(), 1, "{sought}: {found}");
        assert!(page(&server, &format!("{run}/log?q={sought}")).await.contains("data-seq="), "{sought}");
    }
    for gone in ["31m", "30%25%0D"] {
        let found = server.get(&format!("{run}/log?q={gone}")).send().await.unwrap().text().await.unwrap();
        assert_eq!(found, "", "{gone}");
    }
}
