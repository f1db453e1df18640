//! What is told of a run is so, for every reader: bars, time, estimates, results and texts.

use std::time::Duration;

use process_tests::Server;
use process_tests::forms::page;
use serde_json::{Value, json};

/// What every progress event of a run says, until its end.
async fn told(server: &Server, run: &str) -> Vec<Value> {
    let events = server.events(run).await.all().await;
    let told = events.into_iter().filter(|event| ["snapshot", "progress"].contains(&event.name.as_str()));
    told.map(|event| event.data).collect()
}

#[tokio::test]
async fn bar_follows_growing_total() {
    let server = Server::start().await;
    let run = server.run("finds-more", json!({})).await;
    let told = told(&server, &run).await;
    let counted: Vec<_> = told.iter().filter(|one| one["total"].is_u64()).collect();
    assert!(counted.len() > 5, "{told:?}");
    for one in &counted {
        let (current, total) = (one["current"].as_f64().unwrap(), one["total"].as_f64().unwrap());
        let percent = one["percent"].as_f64().unwrap();
        assert!((percent - current / total * 100.0).abs() < 0.01, "{one}");
        assert_eq!(one["first_total"].is_null(), total < 15.0, "{one}");
    }
    let shown = page(server.get(&run)).await.1;
    assert!(shown.contains("40 of 40 (at first 10)"), "{shown}");
}

#[tokio::test]
async fn inner_loop_has_a_bar_of_its_own() {
    let server = Server::start().await;
    let run = server.run("nests-loops", json!({})).await;
    let told = told(&server, &run).await;
    let mut last = 0.0;
    for one in told.iter().filter(|one| one["percent"].is_f64()) {
        let percent = one["percent"].as_f64().unwrap();
        assert!(percent >= last, "{percent} after {last}: an inner loop moved the bar of the run");
        last = percent;
    }
    let inner: Vec<_> = told.iter().filter_map(|one| one["inner"]["total"].as_u64()).collect();
    assert!(inner.len() > 5 && inner.iter().all(|total| *total == 5), "{inner:?}");
}

#[tokio::test]
async fn percent_of_run_rises_through_six_stages() {
    let server = Server::start().await;
    let run = server.run("six-stages", json!({ "pause": 5 })).await;
    let told = told(&server, &run).await;
    let (mut last, mut stages) = (0.0, Vec::new());
    for one in &told {
        let percent = one["percent"].as_f64().unwrap_or(0.0);
        assert!(percent >= last, "{percent} after {last}");
        last = percent;
        stages.push(one["stage"]["index"].as_u64().unwrap_or(0));
    }
    stages.dedup();
    assert!(stages.ends_with(&[5, 6]) && stages.len() >= 5, "{stages:?}");
}

#[tokio::test]
async fn success_short_of_its_total_says_so() {
    let server = Server::start().await;
    let run = server.run("stops-short", json!({})).await;
    let ended = server.ended(&run).await;
    assert_eq!(
        (&ended["status"], &ended["percent"], &ended["current"]),
        (&json!("succeeded"), &json!(30.0), &json!(300))
    );
    let shown = page(server.get(&run)).await.1;
    assert!(
        shown.contains("300 of 1,000") && shown.contains(">Done<") && !shown.contains("100 %"),
        "{shown}"
    );
    // What it was doing is over.
    assert!(!shown.contains("<p class=\"line\" data-part=\"text\" dir=\"auto\">Importing"), "{shown}");
}

#[tokio::test]
async fn result_keeps_order_and_figures() {
    let server = Server::start().await;
    let run = server.run("returns-figures", json!({})).await;
    let ended = server.ended(&run).await;
    let names: Vec<_> = ended["result"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["a", "b", "2024", "2023", "c", "d", "e"]);
    assert_eq!(ended["result"]["e"], 9_007_199_254_740_993_u64);
    let shown = page(server.get(&run)).await.1;
    let result = shown.split("data-part=\"outcome\"").nth(1).unwrap();
    let at = |text: &str| result.find(text).unwrap_or_else(|| panic!("{text} in {result}"));
    assert!(at(">2024<") < at(">2023<"), "{result}");
    for figure in [">1e+16<", ">1e-6<", ">1,234,567.25<", ">9,007,199,254,740,993<"] {
        at(figure);
    }
}

#[tokio::test]
async fn elapsed_time_never_goes_back() {
    let server = Server::start().await;
    let run = server.run("is-silent", json!({})).await;
    server.until_status(&run, "running").await;
    let mut last = 0;
    let mut look = async |what: &str| {
        let shown = process_tests::server::json(server.get(&run).send().await.unwrap()).await;
        let elapsed = shown["elapsed_ms"].as_u64().unwrap();
        assert!(elapsed >= last, "{what}: {elapsed} after {last}");
        last = elapsed;
    };
    for _ in 0..5 {
        look("silent").await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let second = server.events(&run).await;
    server.post(&format!("{run}/cancel?force=yes")).send().await.unwrap();
    look("force was asked for").await;
    let events = second.all().await;
    let mut told = 0;
    for event in &events {
        let elapsed = event.data["elapsed_ms"].as_u64().unwrap_or(told);
        assert!(elapsed >= told, "{event:?} after {told}");
        told = elapsed;
    }
    server.ended(&run).await;
    look("ended").await;
    assert!(last >= 400, "{last}");
}

#[tokio::test]
async fn estimate_is_the_same_for_every_viewer() {
    let server = Server::start().await;
    let run = server.run("count", json!({ "total": 100_000, "pause": 20 })).await;
    let mut first = server.events(&run).await;
    first.until(|event| event.data["estimate"]["rate"].is_f64()).await;
    // Another one who comes later begins with the same, and not with nothing.
    let snapshot = server.events(&run).await.next().await.unwrap();
    let estimate = &snapshot.data["estimate"];
    assert!(estimate["rate"].as_f64().is_some_and(|rate| (5.0..60.0).contains(&rate)), "{estimate}");
    assert!(estimate["left_ms"].as_u64().unwrap() > 1_000_000, "{estimate}");
    let mut second = server.events(&run).await;
    let beyond = estimate["at_ms"].as_u64().unwrap() + 1_500;
    let is_later = |event: &process_tests::Event| event.data["estimate"]["at_ms"].as_u64() > Some(beyond);
    let [one, other] = [first.until(is_later).await, second.until(is_later).await].map(|events| {
        let estimates = events.into_iter().map(|event| event.data["estimate"].clone());
        estimates.filter(|one| one.is_object()).collect::<Vec<_>>()
    });
    let shared: Vec<_> = other.iter().filter(|estimate| one.contains(estimate)).collect();
    assert!(shared.len() > 3, "{one:?} and {other:?}");
    // Both got an estimate of each moment that both were told of.
    for estimate in &other {
        let same_moment = one.iter().filter(|one| one["at_ms"] == estimate["at_ms"]);
        same_moment.for_each(|one| assert_eq!(one, estimate));
    }
    let shown = page(server.get(&run)).await.1;
    assert!(shown.contains("/s</span>") && shown.contains(" left</span>"), "{shown}");
    server.post(&format!("{run}/cancel")).send().await.unwrap();
    assert_eq!(server.ended(&run).await["estimate"], Value::Null, "nothing is left");
}
