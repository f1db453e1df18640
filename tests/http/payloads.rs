//! Hostile text from processes, people and clients is escaped in every output.

use process_runtime::{AccessRequest, Actor, Denied};
use process_tests::Server;
use process_tests::payloads::payloads;
use process_tests::server::json;
use reqwest::Response;
use serde_json::{Value, json};
use tempfile::TempDir;

/// The text without what only a terminal understands.
fn plain(text: &str) -> &str {
    match text {
        "a\r\nkuckuck: 1\r\n\r\n<html>" => "a\nkuckuck: 1\n\n<html>",
        "kuckuck\u{2028}b\u{2029}c\u{85}d" => "kuckuck\nb\nc\nd",
        // A backspace takes the letter before it.
        "kuckuck\0b\u{8}\u{7f}" => "kuckuck",
        "\u{1b}[2J\u{1b}]0;kuckuck\u{7}\u{9b}31m" => "",
        "\u{202e}kcukcuk\u{202c} \u{2066}kuckuck\u{2069}\u{200f}" => "kcukcuk kuckuck",
        "/etc/kuckuck\0.txt" => "/etc/kuckuck.txt",
        text => text.trim_end_matches('\n'),
    }
}

/// The text as it is stored: plain, and truncated and marked if it is too long.
fn is_kept(kept: &Value, text: &str) -> bool {
    let kept = kept.as_str().unwrap_or_else(|| panic!("{kept} is no text"));
    kept == text
        || kept.split_once("… [cut: ").is_some_and(|(begin, _)| text.starts_with(begin) && begin.len() > 100)
}

/// Checks that the text is escaped in HTML.
fn is_text_in(html: &str, text: &str) {
    assert!(!text.contains(['<', '"']) || !html.contains(text), "{text:?} stands there as it is");
    for tag in [
        "<svg/onload",
        "<img src=x",
        "<iframe",
        "<math",
        "<b><b>",
        "<script>kuckuck",
        "<style>*{",
        "<!--kuckuck",
    ] {
        assert!(!html.contains(tag), "{text:?} became {tag}");
    }
}

/// Checks that a response has only our headers.
fn is_sound_head(response: &Response, text: &str) {
    for (name, value) in response.headers() {
        assert!(!name.as_str().contains("kuckuck"), "{text:?} wrote a header");
        assert!(!value.as_bytes().iter().any(|byte| byte.is_ascii_control()), "{name} of {text:?}");
    }
    assert_eq!(response.headers()["x-content-type-options"], "nosniff");
    assert!(
        response.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'")
    );
}

async fn page(server: &Server, path: &str, text: &str) -> String {
    let response = server.get(path).header("accept", "text/html").send().await.unwrap();
    is_sound_head(&response, text);
    let html = response.text().await.unwrap();
    is_text_in(&html, text);
    html
}

#[tokio::test]
async fn process_text_is_escaped_everywhere() {
    let server = Server::start().await;
    let mut found = 0;
    for text in payloads() {
        for fails in [false, true] {
            let id = server.run("repeats", json!({ "text": text, "fails": fails })).await;
            let run = server.ended(&id).await;
            assert_eq!(run["status"], if fails { "failed" } else { "succeeded" }, "{run}");
            let shown = plain(&text);
            assert!(is_kept(&run["title"], shown.replace('\n', " ").trim()), "{run}");
            assert!(is_kept(&run["text"], shown), "{run}");
            assert_eq!(run["input"]["text"], text);
            let said = if fails { &run["error"] } else { &run["result"]["message"] };
            assert!(is_kept(said, shown), "{said}");
            for path in [
                id.clone(),
                format!("{id}/log?q=kuckuck"),
                format!("{id}/compare"),
                "/".into(),
                "/runs".into(),
            ] {
                found += usize::from(page(&server, &path, &text).await.contains("kuckuck"));
            }
            // The reader of the stream panics at a line that is none of the form, and at data that is no JSON.
            let events = server.events(&id).await.all().await;
            let names: Vec<_> = events.iter().map(|event| event.name.as_str()).collect();
            assert_eq!(names, ["snapshot", "end"], "{text:?}");
            let lines = events[0].data["log"]["lines"].as_array().unwrap();
            assert!(lines.iter().any(|line| is_kept(&line["text"], shown)), "{lines:?}");
            for path in [format!("{id}/log"), format!("{id}/result"), format!("{id}/events?format=message")] {
                let response = server.get(&path).send().await.unwrap();
                is_sound_head(&response, &text);
                if path.ends_with("/log") {
                    let log = response.text().await.unwrap();
                    // A line of the file for each line of the log: it has a time in front.
                    let begins =
                        log.lines().filter(|line| line.starts_with("20") || line.starts_with(' ')).count();
                    assert!(begins >= lines.len(), "{text:?}: {log}");
                }
            }
            for file in run["files"].as_array().unwrap() {
                let response = server.get(file["url"].as_str().unwrap()).send().await.unwrap();
                assert_eq!(response.status(), 200, "{file}");
                is_sound_head(&response, &text);
                let disposition = response.headers()["content-disposition"].to_str().unwrap();
                assert!(disposition.starts_with("attachment; filename=\""), "{disposition}");
                assert_eq!(
                    disposition.matches("filename=").count(),
                    1 + usize::from(text.contains("; filename="))
                );
                assert!(!file["name"].as_str().unwrap().contains(['/', '\\', '\0']), "{file}");
            }
            // Files on disk have generated names.
            let kept = server.folder.path().join("files").join(run["id"].as_str().unwrap());
            for entry in std::fs::read_dir(kept).into_iter().flatten() {
                let name = entry.unwrap().file_name();
                assert!(!name.to_string_lossy().contains("kuckuck"), "{name:?}");
            }
        }
    }
    assert!(found > 200, "the texts were on {found} pages: what was looked at?");
}

#[tokio::test]
async fn client_text_is_escaped_everywhere() {
    let with = |builder: process_runtime::Builder| {
        // The name of a person is theirs to choose, as far as we know.
        builder.authorize(|request: AccessRequest| {
            let name = request.parts().headers.get("x-name").and_then(|name| name.to_str().ok());
            let name = name.map(|name| name.replace("%20", " "));
            async move { name.map(Actor::named).ok_or_else(Denied::not_found) }
        })
    };
    let server = Server::built(TempDir::new().unwrap(), "", with).await;
    for text in payloads().into_iter().filter(|text| text.len() < 5_000) {
        let escaped: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let name: String = text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').collect();
        let paths = [
            format!("/repeats/show_progress?text={escaped}&{escaped}={escaped}"),
            format!("/runs?process={escaped}&actor={escaped}&from={escaped}"),
            format!("/?q={escaped}&lang={escaped}"),
            format!("/events?run={escaped}"),
            format!("/runs/{escaped}"),
            format!("/runs/{escaped}/files/{escaped}"),
            format!("/{escaped}/{escaped}/start"),
        ];
        for path in &paths {
            for accept in ["text/html", "application/json"] {
                let request = server.get(path).header("accept", accept).header("x-name", name.trim());
                let response = request.header("accept-language", name.trim()).send().await.unwrap();
                assert!(response.status().as_u16() < 500, "{path}");
                is_sound_head(&response, &text);
                let is_html =
                    response.headers().get("content-type").is_some_and(|of| of == "text/html; charset=utf-8");
                let body = response.text().await.unwrap();
                if is_html {
                    is_text_in(&body, &text);
                } else if !body.is_empty() {
                    let _: Value =
                        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"));
                }
            }
        }
        // A form with errors, and an actor with a hostile name.
        let form = [("text", text.as_str()), ("fails", text.as_str()), (text.as_str(), text.as_str())];
        let refused =
            server.form("repeats", &form).header("x-name", name.trim()).header("accept", "text/html");
        let refused = refused.send().await.unwrap();
        assert_eq!(refused.status(), 422, "{text:?}");
        is_sound_head(&refused, &text);
        is_text_in(&refused.text().await.unwrap(), &text);
        let start =
            server.post("/repeats/start").header("x-name", name.trim()).header("accept", "application/json");
        let start = start.header("content-type", "application/json").body(json!({ "text": "a" }).to_string());
        let run = json(start.send().await.unwrap()).await;
        assert_eq!(run["actor"], name.trim(), "{run}");
        let address = format!("/runs/{}", run["id"].as_str().unwrap());
        let page = server
            .get(&address)
            .header("accept", "text/html")
            .header("x-name", name.trim())
            .send()
            .await
            .unwrap();
        is_text_in(&page.text().await.unwrap(), &text);
    }
}
