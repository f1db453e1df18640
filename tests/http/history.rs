//! The history is paged, and filtered by process, state, person, time and text.

use jiff::{Timestamp, ToSpan as _};
use process_runtime::Run;
use process_runtime::prelude::*;
use process_runtime::store::StartOptions;
use process_tests::Server;
use process_tests::forms::urlencoded;
use process_tests::server::json;
use serde_json::{Map, Value, json};

async fn get(server: &Server, pairs: &[(&str, &str)]) -> Value {
    json(server.get(&format!("/runs?{}", urlencoded(pairs))).send().await.unwrap()).await
}

fn ids(runs: &Value) -> Vec<String> {
    runs["runs"].as_array().unwrap().iter().map(|run| run["id"].as_str().unwrap().to_owned()).collect()
}

async fn page(server: &Server, pairs: &[(&str, &str)]) -> String {
    let path = format!("/runs?{}", urlencoded(pairs));
    let response = server.get(&path).header("accept", "text/html").send().await.unwrap();
    assert_eq!(response.status(), 200, "{path}");
    response.text().await.unwrap()
}

/// A run of a process that is not there, so that it stays as it is, started by this person.
async fn stored(server: &Server, actor: Option<&str>) -> Run {
    // Ids are ordered by the millisecond.
    tokio::time::sleep(std::time::Duration::from_millis(3)).await;
    let mut run = Run::queued("gone", "Gone", Map::new());
    run.actor = actor.map(str::to_owned);
    server.processes.store().start(run, StartOptions::default()).await.unwrap().run
}

#[tokio::test]
async fn history_is_paged_and_filtered() {
    let server = Server::start().await;
    for _ in 0..52 {
        server.run("says-nothing", json!({})).await;
    }
    let failed = server.run("fails", json!({})).await;
    server.ended(&failed).await;
    let first = get(&server, &[]).await;
    assert_eq!((ids(&first).len(), &first["has_more"]), (50, &json!(true)));
    let second = json(server.get(first["next"].as_str().unwrap()).send().await.unwrap()).await;
    assert_eq!((ids(&second).len(), &second["has_more"]), (3, &json!(false)));
    assert!(ids(&second).iter().all(|id| !ids(&first).contains(id)));
    assert_eq!(second["next"], Value::Null);
    assert_eq!(ids(&get(&server, &[("process", "fails"), ("status", "failed")]).await).len(), 1);
    assert_eq!(ids(&get(&server, &[("process", "fails"), ("status", "succeeded")]).await).len(), 0);
}

#[tokio::test]
async fn statuses_filter_by_comma_or_repeat() {
    let server = Server::start().await;
    let failed = server.run("fails", json!({})).await;
    server.ended(&failed).await;
    let succeeded = server.run("says-nothing", json!({})).await;
    server.ended(&succeeded).await;
    let waiting = stored(&server, None).await;
    let count = async |pairs: &[(&str, &str)]| ids(&get(&server, pairs).await).len();
    assert_eq!(count(&[("status", "failed,queued")]).await, 2);
    assert_eq!(count(&[("status", "failed"), ("status", "queued")]).await, 2);
    assert_eq!(count(&[("status", "failed, succeeded"), ("status", "queued")]).await, 3);
    assert_eq!(count(&[("status", "")]).await, 3);
    let shown = page(&server, &[("status", "failed"), ("status", "queued")]).await;
    assert!(
        shown.contains(&waiting.id.to_string()) && !shown.contains(succeeded.trim_start_matches("/runs/"))
    );
    // The form contains the same filter.
    assert!(shown.contains("<option value=\"failed,queued\" selected>Failed, Queued</option>"), "{shown}");
}

#[tokio::test]
async fn history_filters_by_actor() {
    let server = Server::start().await;
    let by_ada = stored(&server, Some("ada <script>")).await;
    stored(&server, Some("bob")).await;
    stored(&server, None).await;
    let found = get(&server, &[("actor", "ada <script>")]).await;
    assert_eq!(ids(&found), [by_ada.id.to_string()]);
    assert_eq!(found["runs"][0]["actor"], "ada <script>");
    assert_eq!(ids(&get(&server, &[("actor", "ada")]).await).len(), 0);
    let all = page(&server, &[]).await;
    assert!(all.contains("Started by <bdi>ada &lt;script&gt;") && all.contains("Started by <bdi>bob"));
    assert_eq!(all.matches("<p class=\"soft\">Started by ").count(), 2);
    let filtered = page(&server, &[("actor", "ada <script>")]).await;
    assert!(filtered.contains("value=\"ada &lt;script&gt;\"") && !filtered.contains("bob"));
}

#[tokio::test]
async fn history_filters_by_start_time() {
    let server = Server::start().await;
    let mut runs = Vec::new();
    for _ in 0..3 {
        runs.push(stored(&server, None).await);
    }
    let all: Vec<String> = runs.iter().rev().map(|run| run.id.to_string()).collect();
    let second = runs[1].created_at.to_string();
    let found = async |pairs: &[(&str, &str)]| ids(&get(&server, pairs).await);
    // From this moment on, and before it.
    assert_eq!(found(&[("from", &second)]).await, all[..2]);
    assert_eq!(found(&[("until", &second)]).await, all[2..]);
    assert_eq!(found(&[("from", &second), ("until", &second)]).await, [""; 0]);
    // Both days count.
    let day = |offset: i64| (Timestamp::now() + (24 * offset).hours()).strftime("%Y-%m-%d").to_string();
    assert_eq!(found(&[("from", &day(0)), ("until", &day(0))]).await, all);
    assert_eq!(found(&[("from", &day(-1)), ("until", &day(1))]).await, all);
    assert_eq!(found(&[("from", &day(1))]).await, [""; 0]);
    assert_eq!(found(&[("until", &day(-1))]).await, [""; 0]);
    // The same moment, as it is written elsewhere on Earth.
    let elsewhere = runs[1].created_at.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(5)));
    let elsewhere = elsewhere.strftime("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string();
    assert_eq!(found(&[("from", &elsewhere)]).await, all[..2], "{elsewhere}");
    let shown = page(&server, &[("from", &second), ("until", &day(0))]).await;
    assert!(shown.contains(&format!("type=\"text\" name=\"from\" value=\"{second}\"")), "{shown}");
    assert!(shown.contains(&format!("type=\"date\" name=\"until\" value=\"{}\"", day(0))), "{shown}");
}

#[tokio::test]
async fn next_page_keeps_every_filter() {
    let server = Server::start().await;
    for _ in 0..51 {
        let mut run = Run::queued("gone", "Gone", Map::new());
        run.actor = Some("ada & bob".into());
        run.input.insert("what".into(), "50 % & more".into());
        server.processes.store().start(run, StartOptions::default()).await.unwrap();
    }
    let day = Timestamp::now().strftime("%Y-%m-%d").to_string();
    let filter = [
        ("process", "gone"),
        ("status", "queued,failed"),
        ("actor", "ada & bob"),
        ("from", &*day),
        ("until", &*day),
        ("q", "% &"),
    ];
    let first = page(&server, &filter).await;
    let (before, _) = first.split_once(">Older</a>").unwrap();
    let address = before.rsplit_once("href=\"").unwrap().1.split('"').next().unwrap().replace("&amp;", "&");
    let (_, query) = address.split_once('?').unwrap();
    let (same, before) = query.rsplit_once("&before=").unwrap();
    assert_eq!(same, urlencoded(&filter));
    assert!(before.split_once('.').unwrap().0.parse::<i64>().is_ok(), "{before}");
    let second = server.get(&address).send().await.unwrap();
    assert_eq!(ids(&json(second).await).len(), 1);
}

#[tokio::test]
async fn invalid_query_names_the_parameter() {
    let server = Server::start().await;
    for (pairs, name) in [
        (("status", "asleep"), "status"),
        (("status", "failed,asleep"), "status"),
        (("before", "2"), "before"),
        (("before", "two"), "before"),
        (("failed_items", "some"), "failed_items"),
        (("from", "yesterday"), "from"),
        (("from", "2026-02-30"), "from"),
        (("until", "2026-11-21T10:00"), "until"),
    ] {
        let path = format!("/runs?{}", urlencoded(&[pairs]));
        let response = server.get(&path).send().await.unwrap();
        assert_eq!(response.status(), 400, "{path}");
        let problem = json(response).await;
        assert!(problem["detail"].as_str().unwrap().starts_with(&format!("{name} ")), "{problem}");
        let refused = server.get(&path).header("accept", "text/html").send().await.unwrap();
        assert_eq!(refused.status(), 400, "{path}");
    }
}

#[tokio::test]
async fn run_is_compared_with_previous_run() {
    let server = Server::start().await;
    let compared = async |run: &str| json(server.get(&format!("{run}/compare")).send().await.unwrap()).await;
    let first = server.run("wait", json!({})).await;
    let second = server.run("wait", json!({})).await;
    assert_eq!(compared(&second).await["other"], Value::Null, "the first one still runs");
    server.post(&format!("{first}/cancel")).send().await.unwrap();
    server.ended(&first).await;
    let other = &compared(&second).await["other"];
    assert_eq!((&other["links"]["self"], &other["status"]), (&json!(first), &json!("cancelled")));
}

/// A stored run with this input, of a process that is not there.
async fn stored_with(server: &Server, input: Value) -> Run {
    tokio::time::sleep(std::time::Duration::from_millis(3)).await;
    let run = Run::queued("gone", "Gone", input.as_object().unwrap().clone());
    server.processes.store().start(run, StartOptions::default()).await.unwrap().run
}

#[tokio::test]
async fn history_finds_inputs_errors_numbers() {
    let server = Server::start().await;
    let first =
        stored_with(&server, json!({ "address": "12 Main Street", "nested": [{ "sku": "AB-7" }] })).await;
    let second = stored_with(&server, json!({ "address": "13 Side Road" })).await;
    let failed = server.run("fails", json!({})).await;
    server.ended(&failed).await;
    let failed = failed.trim_start_matches("/runs/").to_owned();
    let (first, second) = (first.id.to_string(), second.id.to_string());
    for (sought, expected) in [
        ("main street", vec![&first]),
        ("AB-7", vec![&first]),
        ("disk is <b>full", vec![&failed]),
        ("DISK", vec![&failed]),
        ("road", vec![&second]),
        ("#1", vec![&failed, &first]),
        ("#2", vec![&second]),
        (" #2 ", vec![&second]),
        ("#99", vec![]),
        ("#99999999999999999999", vec![]),
        (second.as_str(), vec![&second]),
        ("address", vec![]),
    ] {
        let found = get(&server, &[("q", sought)]).await;
        assert_eq!(ids(&found), expected.into_iter().cloned().collect::<Vec<_>>(), "{sought}");
    }
    assert_eq!(ids(&get(&server, &[("q", "main"), ("status", "failed")]).await), [""; 0]);
    assert_eq!(ids(&get(&server, &[("q", &second), ("status", "failed")]).await), [""; 0]);
    let shown = page(&server, &[("q", "<b>full")]).await;
    assert!(shown.contains("name=\"q\" dir=\"auto\" value=\"&lt;b&gt;full\""), "{shown}");
    assert!(
        shown.contains("<p class=\"error\" dir=\"auto\">the disk is &lt;b&gt;full&lt;/b&gt;</p>"),
        "{shown}"
    );
    // A page with the result of a search is not read again by itself, and says of when it is.
    assert!(shown.contains("As of <time") && !shown.contains("data-runs="), "{shown}");
    let nothing = page(&server, &[("q", "no such text")]).await;
    assert!(nothing.contains("No runs match.") && nothing.contains(">Clear filters</a>"), "{nothing}");
}

#[tokio::test]
async fn history_rows_tell_runs_apart() {
    let server = Server::start().await;
    for text in ["first of all", "second of all"] {
        let run = server.run("repeats", json!({ "text": text, "fails": text.starts_with("second") })).await;
        server.ended(&run).await;
    }
    let told = get(&server, &[]).await;
    let number = |n: usize| (told["runs"][n]["number"].clone(), told["runs"][n]["summary"].clone());
    assert_eq!(number(0), (json!(2), json!("Text second of all · Fails yes")));
    assert_eq!(number(1), (json!(1), json!("Text first of all · Fails no")));
    assert_eq!(told["runs"][0]["process_title"], "Repeating");
    let shown = page(&server, &[]).await;
    for part in ["<bdi dir=\"ltr\">#2</bdi>", "Text first of all · Fails no", "<time data-part=\"elapsed\""]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
}

#[tokio::test]
async fn summary_hides_secrets_and_names_files() {
    let server = Server::start().await;
    let input = json!({ "file": { "name": "prices.csv", "content": "aGVsbG8=" }, "name": "spring" });
    let run = process_tests::forms::started(server.json("fields/takes-files", &input)).await;
    let told = get(&server, &[]).await;
    let summary = told["runs"][0]["summary"].as_str().unwrap();
    assert!(summary.contains("prices.csv") && summary.contains("spring"), "{summary}");
    let id = run["id"].as_str().unwrap();
    let shown = server.get(&format!("/runs/{id}")).header("accept", "text/html").send().await.unwrap();
    let shown = shown.text().await.unwrap();
    let link =
        format!("<a href=\"/runs/{id}/inputs/file\" download=\"prices.csv\" dir=\"auto\">prices.csv</a>");
    assert!(shown.contains(&link) && !shown.contains("4 fields"), "{shown}");
    let secret = json!({ "key": "sk-hidden-9", "note": "seen" });
    process_tests::forms::started(server.json("keeps-a-secret-key", &secret)).await;
    let told = get(&server, &[("process", "keeps-a-secret-key")]).await;
    assert_eq!(told["runs"][0]["summary"], "Note seen");
    assert_eq!(ids(&get(&server, &[("q", "sk-hidden")]).await), [""; 0]);
}

/// Takes a secret.
#[process(title = "Keeping a secret")]
async fn keeps_a_secret_key(key: Secret<String>, note: String) {
    drop((key, note));
}

#[tokio::test]
async fn history_counts_match_the_filter() {
    let server = Server::start().await;
    for _ in 0..3 {
        let run = server.run("says-nothing", json!({})).await;
        server.ended(&run).await;
    }
    let failed = server.run("fails", json!({})).await;
    server.ended(&failed).await;
    stored(&server, Some("ada")).await;
    let counted = async |pairs: &[(&str, &str)]| {
        let counts = get(&server, pairs).await["counts"].clone();
        assert_eq!(counts["is_complete"], true);
        ["succeeded", "failed", "queued"].map(|status| counts[status].as_u64().unwrap())
    };
    assert_eq!(counted(&[]).await, [3, 1, 1]);
    // The statuses to show are chosen by these counts.
    assert_eq!(counted(&[("status", "failed")]).await, [3, 1, 1]);
    assert_eq!(counted(&[("process", "says-nothing")]).await, [3, 0, 0]);
    assert_eq!(counted(&[("actor", "ada")]).await, [0, 0, 1]);
    assert_eq!(counted(&[("q", "disk")]).await, [0, 1, 0]);
    let shown = page(&server, &[("status", "failed"), ("from", "2020-01-01")]).await;
    let chip =
        "<a class=\"chip\" href=\"/runs?status=succeeded&amp;from=2020-01-01\" data-count=\"succeeded\">";
    assert!(shown.contains(&format!("{chip}Succeeded <b>3</b></a>")), "{shown}");
    let chosen =
        "<a class=\"chip\" href=\"/runs?from=2020-01-01\" aria-current=\"true\" data-count=\"failed\">";
    assert!(shown.contains(&format!("{chosen}Failed <b>1</b></a>")), "{shown}");
}

#[tokio::test]
async fn history_finds_runs_with_failed_items() {
    let server = Server::start().await;
    let failing = server.run("imports-loosely", json!({})).await;
    server.ended(&failing).await;
    let clean = server.run("says-nothing", json!({})).await;
    server.ended(&clean).await;
    let found = get(&server, &[("failed_items", "true")]).await;
    assert_eq!(ids(&found), [failing.trim_start_matches("/runs/")]);
    let shown = page(&server, &[("failed_items", "true")]).await;
    assert!(shown.contains("name=\"failed_items\" value=\"true\" checked"), "{shown}");
}

/// Two of three items fail.
#[process(title = "Importing loosely")]
async fn imports_loosely() {
    for item in ["b", "c"] {
        item_failed(item, "it is broken");
    }
}

#[tokio::test]
async fn running_run_is_shown_before_queued_ones() {
    let server = Server::start().await;
    let short = server.run("wait", json!({})).await;
    server.until_status(&short, "running").await;
    let waiting = server.run("wait", json!({})).await;
    server.run("wait", json!({})).await;
    let shown = server.until_status(&short, "running").await;
    let index = json(server.get("/").send().await.unwrap()).await;
    let entry = index["processes"].as_array().unwrap().iter().find(|one| one["process"] == "wait").unwrap();
    assert_eq!(entry["latest"]["id"], shown["id"]);
    assert_eq!(entry["active_runs"], json!({ "running": 1, "paused": 0, "queued": 2 }));
    let html = |path: &str| server.get(path).header("accept", "text/html").send();
    let page = html("/").await.unwrap().text().await.unwrap();
    assert!(page.contains("<span data-part=\"beside\">2 queued</span>"), "{page}");
    assert!(page.contains("<a href=\"/runs?process=wait\">All runs</a>"), "{page}");
    let page = html("/wait/show_progress").await.unwrap().text().await.unwrap();
    assert!(page.contains(&format!("data-run=\"{}\"", shown["id"].as_str().unwrap())), "{page}");
    assert!(page.contains("data-part=\"beside\">2 queued<") && page.contains(">All runs</a>"), "{page}");
    let stream = process_tests::Events::of(server.get("/wait/start").send().await.unwrap()).next().await;
    assert_eq!(stream.unwrap().data["id"], shown["id"]);
    // With the running one out of the way, a paused one comes before those that wait.
    server.post(&format!("{waiting}/pause")).send().await.unwrap();
    server.post(&format!("{short}/cancel")).send().await.unwrap();
    server.ended(&short).await;
    let running = json(server.get("/").send().await.unwrap()).await;
    let entry = running["processes"].as_array().unwrap().iter().find(|one| one["process"] == "wait").unwrap();
    assert_ne!(entry["latest"]["id"], shown["id"], "an ended run is not shown while others are active");
}
