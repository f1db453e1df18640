//! The history is paged, and filtered by process, state, person and time.

use jiff::{Timestamp, ToSpan as _};
use process_runtime::Run;
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
    let second = get(&server, &[("page", "2")]).await;
    assert_eq!((ids(&second).len(), &second["has_more"]), (3, &json!(false)));
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
        server.processes.store().start(run, StartOptions::default()).await.unwrap();
    }
    let day = Timestamp::now().strftime("%Y-%m-%d").to_string();
    let filter = [
        ("process", "gone"),
        ("status", "queued,failed"),
        ("actor", "ada & bob"),
        ("from", &*day),
        ("until", &*day),
    ];
    let first = page(&server, &filter).await;
    let (before, _) = first.split_once(">Older</a>").unwrap();
    let address = before.rsplit_once("href=\"").unwrap().1.split('"').next().unwrap().replace("&amp;", "&");
    let (_, query) = address.split_once('?').unwrap();
    let expected: Vec<_> = filter.into_iter().chain([("page", "2")]).collect();
    assert_eq!(query, urlencoded(&expected));
    let second = server.get(&address).send().await.unwrap();
    assert_eq!(ids(&json(second).await).len(), 1);
}

#[tokio::test]
async fn invalid_query_names_the_parameter() {
    let server = Server::start().await;
    for (pairs, name) in [
        (("status", "asleep"), "status"),
        (("status", "failed,asleep"), "status"),
        (("page", "0"), "page"),
        (("page", "two"), "page"),
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
