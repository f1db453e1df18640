//! The log of a run: download and search.

use axum::body::Body;
use axum::http::Request;
use futures_util::StreamExt as _;
use process_runtime::store::LogFilter;
use process_runtime::{Limits, RunEvent};
use process_tests::events::line_numbers;
use process_tests::long_log::long_log;
use process_tests::server::json;
use process_tests::{Events, Server};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt as _;

/// A run with 1,200 lines, every hundredth a warning.
async fn grumbled(server: &Server) -> String {
    let run = server.run("grumbles", json!({ "lines": 1_200, "every": 100, "pause": 5 })).await;
    server.ended(&run).await;
    run
}

async fn download(server: &Server, run: &str, query: &str) -> Vec<String> {
    let response = server.get(&format!("{run}/log{query}")).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8", "{query}");
    assert!(response.headers()["content-disposition"].to_str().unwrap().starts_with("attachment; "));
    response.text().await.unwrap().lines().map(str::to_owned).collect()
}

async fn page(server: &Server, path: &str) -> String {
    let response = server.get(path).header("accept", "text/html").send().await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    assert_eq!(response.headers()["content-type"], "text/html; charset=utf-8", "{path}");
    response.text().await.unwrap()
}

/// The numbers of the lines on a page.
fn numbers(page: &str) -> Vec<u64> {
    let lines = page.split("data-seq=\"").skip(1);
    lines.map(|rest| rest.split('"').next().unwrap().parse().unwrap()).collect()
}

/// The target of the link with this text.
fn link(page: &str, words: &str) -> Option<String> {
    let (before, _) = page.split_once(&format!(">{words}</a>"))?;
    let (_, address) = before.rsplit_once("href=\"")?;
    Some(address.split('"').next().unwrap().replace("&amp;", "&"))
}

#[tokio::test]
async fn log_download_has_only_matching_lines() {
    let server = Server::start().await;
    let run = grumbled(&server).await;
    assert_eq!(download(&server, &run, "").await.len(), 1_200);
    assert_eq!(download(&server, &run, "?q=&level=").await.len(), 1_200);
    let warnings = download(&server, &run, "?level=warn").await;
    assert_eq!(warnings.len(), 12);
    assert!(warnings.iter().all(|line| line.contains(" WARN line ")), "{warnings:?}");
    assert_eq!(download(&server, &run, "?level=error").await.len(), 0);
    // The search ignores case, and no character has a special meaning.
    for (sought, found) in
        [("LINE%20119", 11), ("a_b", 12), ("a%25b", 0), ("100%20%25", 12), ("%3Codd%3E", 12)]
    {
        assert_eq!(download(&server, &run, &format!("?q={sought}")).await.len(), found, "{sought}");
    }
    let both = download(&server, &run, "?level=warn&q=line%201&after=100").await;
    assert_eq!(both.len(), 3, "{both:?}");
    assert_eq!(download(&server, &run, "?after=1190").await.len(), 10);
}

#[tokio::test]
async fn browser_log_search_is_paged() {
    let server = Server::nested("/a/b").await;
    let run = grumbled(&server).await;
    let first = page(&server, &format!("{run}/log?q=line")).await;
    assert_eq!(numbers(&first), (1..=500).collect::<Vec<_>>());
    let next = link(&first, "Next").unwrap();
    assert_eq!(next, format!("/a/b{run}/log?q=line&after=500"));
    let second = page(&server, next.strip_prefix("/a/b").unwrap()).await;
    assert_eq!(numbers(&second), (501..=1_000).collect::<Vec<_>>());
    let third = page(&server, link(&second, "Next").unwrap().strip_prefix("/a/b").unwrap()).await;
    assert_eq!(numbers(&third), (1_001..=1_200).collect::<Vec<_>>());
    assert_eq!(link(&third, "Next"), None);
    assert_eq!(link(&third, "First lines").unwrap(), format!("/a/b{run}/log?q=line"));
    assert_eq!(link(&third, "Back to the run").unwrap(), format!("/a/b{run}"));
    let file = link(&third, "Download these lines").unwrap();
    let response = server.get(file.strip_prefix("/a/b").unwrap()).header("accept", "text/html").send();
    let response = response.await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/plain; charset=utf-8");
    assert_eq!(response.text().await.unwrap().lines().count(), 200);
}

#[tokio::test]
async fn log_search_shows_query_escaped() {
    let server = Server::start().await;
    let run = grumbled(&server).await;
    let found = page(&server, &format!("{run}/log?q=%3Codd%3E&level=warn")).await;
    assert_eq!(numbers(&found), (1..=12).map(|line| line * 100).collect::<Vec<_>>());
    assert!(found.contains("value=\"&lt;odd&gt;\"") && !found.contains("<odd>"));
    assert!(found.contains("<option value=\"warn\" selected>"), "{found}");
    assert!(found.contains("<b>Warning</b> <span dir=\"auto\">") && found.contains("12 matching lines."));
    // A filtered view does not show gaps.
    assert!(!found.contains("omitted"));
    let nothing = page(&server, &format!("{run}/log?q=%22%3E%3Cscript%3E")).await;
    assert!(nothing.contains("No lines found.") && !nothing.contains("\"><script>"));
    // The form on the page of the run leads here; nothing typed in means all lines.
    assert!(page(&server, &run).await.contains(&format!("action=\"{run}/log\"")));
    assert_eq!(numbers(&page(&server, &format!("{run}/log?q=")).await).len(), 500);
    // The link on the page of the run stays a download.
    let whole = server.get(&format!("{run}/log")).header("accept", "text/html").send().await.unwrap();
    assert!(whole.headers().contains_key("content-disposition"));
}

#[tokio::test]
async fn every_log_level_has_its_word() {
    let server = Server::start().await;
    let run = server.run("says-all", json!({})).await;
    server.ended(&run).await;
    let file = download(&server, &run, "").await;
    let levels: Vec<_> = file.iter().map(|line| line.split_whitespace().nth(1).unwrap()).collect();
    assert_eq!(levels, ["DEBUG", "INFO", "WARN", "ERROR"]);
    for page in [page(&server, &run).await, page(&server, &format!("{run}/log?after=0")).await] {
        for line in [
            "<b>Debug</b> <span dir=\"auto\">found out",
            ">said</span>",
            "<b>Warning</b> <span dir=\"auto\">warned",
            "<b>Error</b> <span dir=\"auto\">broken",
        ] {
            assert!(page.contains(line), "{line} is missing in {page}");
        }
    }
}

#[tokio::test]
async fn omitted_lines_are_marked_in_place() {
    let folder = tempfile::TempDir::new().unwrap();
    let server = Server::built(folder, "", |builder| {
        builder.limits(Limits::default().max_log_head_lines(10).max_log_tail_lines(40))
    })
    .await;
    let run = grumbled(&server).await;
    let whole = page(&server, &format!("{run}/log?level=")).await;
    let first = numbers(&whole);
    assert_eq!(first[..12], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 100, 200]);
    assert!(whole.contains("89 lines omitted") && whole.contains("99 lines omitted"));
    let from_the_middle = page(&server, &format!("{run}/log?after=150")).await;
    assert!(from_the_middle.contains("49 lines omitted"), "{from_the_middle}");
    assert_eq!(numbers(&from_the_middle)[..2], [200, 300]);
}

/// A run whose log keeps head, tail and warnings only.
async fn shortened() -> (Server, String) {
    let folder = tempfile::TempDir::new().unwrap();
    let server = Server::built(folder, "", |builder| {
        builder.limits(Limits::default().max_log_head_lines(10).max_log_tail_lines(40))
    })
    .await;
    let run = grumbled(&server).await;
    (server, run)
}

#[tokio::test]
async fn every_format_reports_omitted_lines() {
    let (server, run) = shortened().await;
    let told = json(server.get(&run).header("accept", "application/json").send().await.unwrap()).await;
    let all = told["omitted_lines"].as_u64().unwrap();
    // As the store has it.
    let id: process_runtime::RunId = run.trim_start_matches("/runs/").parse().unwrap();
    let stored = server.processes.store().log(id, LogFilter::default()).await.unwrap();
    assert_eq!(all, 1_200 - stored.len() as u64);
    let (mut gaps, mut before) = (Vec::new(), 0);
    for line in &stored {
        if line.seq > before + 1 {
            gaps.push((before, line.seq - before - 1));
        }
        before = line.seq;
    }
    assert_eq!(gaps.iter().map(|(_, lines)| lines).sum::<u64>(), all);
    let of = |omitted: &Value| (omitted["after"].as_u64().unwrap(), omitted["lines"].as_u64().unwrap());
    // The opening of a stream.
    let events = server.events(&run).await.all().await;
    let omitted = events[0].data["log"]["omitted"].as_array().unwrap().iter().map(of);
    assert_eq!(omitted.collect::<Vec<_>>(), gaps);
    // A program.
    let events = server.processes.handle(id).events().await.unwrap();
    let omitted = events.filter_map(async |event| match event.unwrap() {
        RunEvent::Omitted { after, lines } => Some((after, lines)),
        _ => None,
    });
    assert_eq!(omitted.collect::<Vec<_>>().await, gaps);
    // Texts, on a page, in a file and in messages.
    let messages = server.get(&format!("{run}/events?format=message")).send().await.unwrap();
    let whole = page(&server, &format!("{run}/log?level=")).await;
    for text in [messages.text().await.unwrap(), whole, download(&server, &run, "").await.join("\n")] {
        let said = text.matches("lines omitted").count();
        assert_eq!(said, gaps.len(), "{text}");
        for (_, lines) in &gaps {
            assert!(text.contains(&format!("{lines} lines omitted")), "{lines} in {text}");
        }
    }
    // A filtered view counts the lines that could not be searched.
    let searched = page(&server, &format!("{run}/log?q=line")).await;
    let all = format!("{},{:03} omitted lines were not searched.", all / 1_000, all % 1_000);
    assert!(searched.contains(&all), "{all} in {searched}");
}

#[tokio::test]
async fn reconnect_reports_omitted_lines() {
    let (server, run) = shortened().await;
    let tag = server.events(&run).await.all().await[0].id.split('-').next().unwrap().to_owned();
    for (seen, after, first) in [(10, 10, 89), (50, 50, 49), (150, 150, 49)] {
        let back = server.get(&format!("{run}/events?last={tag}-1-{seen}")).send().await.unwrap();
        let events = Events::of(back).all().await;
        let log = &events[0].data["log"];
        assert_eq!(
            (&log["after"], &log["omitted"][0]),
            (&json!(seen), &json!({ "after": after, "lines": first }))
        );
        assert_eq!(line_numbers(&events)[0], seen / 100 * 100 + 100);
    }
}

#[tokio::test]
async fn reconnect_sends_long_log_in_pieces() {
    let server = Server::start().await;
    let run = server.run("pours", json!({ "lines": 3_000, "bytes": 1_000 })).await;
    let id = server.events(&run).await.next().await.unwrap().id;
    server.ended(&run).await;
    let tag = id.split('-').next().unwrap();
    let back = server.get(&format!("{run}/events?last={tag}-1-0")).send().await.unwrap();
    let events = Events::of(back).all().await;
    let first = &events[0].data["log"];
    let lines = first["lines"].as_array().unwrap().len();
    assert_eq!((first["after"].as_u64(), first["last"].as_u64()), (Some(0), Some(3_000)));
    assert!((100..1_100).contains(&lines), "an opening of {lines} lines");
    assert!(line_numbers(&events).into_iter().eq(1..=3_000), "the rest follows");
    assert_eq!(events.last().unwrap().name, "end");
}

#[tokio::test]
async fn log_download_chunks_are_bounded() {
    let server = Server::start().await;
    let run = server.run("pours", json!({ "lines": 300, "bytes": 16_000 })).await;
    server.ended(&run).await;
    for query in ["", "?q=line"] {
        let request = Request::get(format!("{run}/log{query}")).header("host", "localhost");
        let answer = server.processes.router().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), 200);
        let pieces: Vec<_> = answer.into_body().into_data_stream().map(Result::unwrap).collect().await;
        let longest = pieces.iter().map(|piece| piece.len()).max().unwrap();
        assert!(longest <= 64 << 10, "{longest} bytes at a time");
        let lines: usize =
            pieces.iter().map(|piece| piece.iter().filter(|byte| **byte == b'\n').count()).sum();
        assert_eq!(lines, 300);
    }
}

#[tokio::test]
async fn page_of_long_lines_is_shortened() {
    let server = Server::start().await;
    let run = server.run("pours", json!({ "lines": 40, "bytes": 16_000 })).await;
    server.ended(&run).await;
    let (mut seen, mut next) = (Vec::new(), Some(format!("{run}/log?q=line")));
    while let Some(address) = next {
        let page = page(&server, &address).await;
        assert!(page.len() < 400_000, "{} bytes", page.len());
        seen.extend(numbers(&page));
        next = link(&page, "Next");
    }
    assert!(seen.into_iter().eq(1..=40));
}

#[tokio::test]
async fn excess_failed_items_are_counted() {
    let server = Server::start().await;
    for (items, said) in [(132, "32 more items failed and are not listed here."), (100, "95 more")] {
        let run = server.run("fails-often", json!({ "items": items })).await;
        server.ended(&run).await;
        let page = page(&server, &run).await;
        assert!(page.contains(&format!("{items} items failed")) && page.contains(said), "{page}");
        assert_eq!(page.contains("not listed here"), items > 100);
    }
}

#[tokio::test]
async fn invalid_query_names_the_parameter() {
    let server = Server::start().await;
    let run = grumbled(&server).await;
    let long = format!("q={}", "x".repeat(1_001));
    for (query, name) in [("level=loud", "level"), ("after=-1", "after"), ("after=x", "after"), (&long, "q")]
    {
        let response = server.get(&format!("{run}/log?{query}")).send().await.unwrap();
        assert_eq!(response.status(), 400, "{query}");
        assert_eq!(response.headers()["content-type"], "application/problem+json", "{query}");
        let problem: Value = json(response).await;
        assert!(problem["detail"].as_str().unwrap().starts_with(&format!("{name} ")), "{problem}");
    }
    let refused =
        server.get(&format!("{run}/log?level=loud")).header("accept", "text/html").send().await.unwrap();
    assert_eq!(refused.status(), 400);
    assert!(refused.text().await.unwrap().contains("level must be one of debug, info, warn, error"));
    let none = "/runs/01a1fec7-0d70-7400-b0d2-8fce83ca885a/log?q=x";
    assert_eq!(server.get(none).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn downloads_beyond_limit_are_503() {
    let folder = TempDir::new().unwrap();
    // More than the socket buffers hold, so that a client that does not read blocks the transfer.
    let run = long_log(folder.path(), 16_000, 2_000).await;
    let limits = Limits::default().max_downloads(2);
    let server = Server::built(folder, "", |builder| builder.limits(limits)).await.asked_anew();
    let path = format!("/runs/{run}/log");
    let mut open = Vec::new();
    for _ in 0..2 {
        let response = server.get(&path).send().await.unwrap();
        assert_eq!(response.status(), 200);
        open.push(response);
    }
    let refused = server.get(&path).send().await.unwrap();
    assert_eq!(
        (refused.status(), &refused.headers()["retry-after"]),
        (503.try_into().unwrap(), &"10".parse().unwrap())
    );
    let said = json(refused).await["detail"].as_str().unwrap().to_owned();
    assert!(said.contains("Too many downloads are in progress (the limit is 2)"), "{said}");
    // A page is not a download, and a client that disconnects frees its permit.
    assert_eq!(
        server
            .get(&format!("{path}?level=info"))
            .header("accept", "text/html")
            .send()
            .await
            .unwrap()
            .status(),
        200
    );
    open.pop();
    let began = std::time::Instant::now();
    while server.get(&path).send().await.unwrap().status() != 200 {
        assert!(began.elapsed() < std::time::Duration::from_secs(20), "no room is left by one who went");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
