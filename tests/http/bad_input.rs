//! Bad input gets a clear answer that names it, and changes nothing.

use process_runtime::RunId;
use process_tests::Server;
use process_tests::server::json;
use serde_json::json;

#[tokio::test]
async fn unknown_route_or_run_is_404() {
    let server = Server::start().await;
    let unknown = RunId::new();
    let mut answers = Vec::new();
    for path in [
        "/nothing".to_owned(),
        "/nothing/show_progress".into(),
        "/nothing/start".into(),
        "/odd/nothing/show_progress".into(),
        "/nowhere/odd-values/start".into(),
        format!("/runs/{unknown}"),
        format!("/runs/{unknown}/events"),
        format!("/runs/{unknown}/log"),
        format!("/runs/{unknown}/result"),
        format!("/runs/{unknown}/files/a"),
        format!("/runs/{unknown}/inputs/a"),
        "/runs/not-an-id".into(),
        "/runs/not-an-id/events".into(),
        format!("/runs/{}", unknown.to_string().replace('-', "")),
        "/runs/..%2f..%2fetc%2fpasswd".into(),
        "/runs/%00".into(),
    ] {
        let response = server.get(&path).send().await.unwrap();
        assert_eq!(response.status(), 404, "{path}");
        assert_eq!(response.headers()["content-type"], "application/problem+json", "{path}");
        answers.push(response.text().await.unwrap());
    }
    for path in [format!("/runs/{unknown}/cancel"), "/runs/x/cancel".into(), "/nothing/start".into()] {
        let response = server.post(&path).send().await.unwrap();
        assert_eq!(response.status(), 404, "{path}");
        answers.push(response.text().await.unwrap());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    let page = server.get("/nothing").header("accept", "text/html").send().await.unwrap();
    assert_eq!(
        (page.status().as_u16(), &page.headers()["content-type"]),
        (404, &"text/html; charset=utf-8".parse().unwrap())
    );
}

#[tokio::test]
async fn unsupported_start_content_type_is_415() {
    let server = Server::start().await;
    for kind in ["text/plain", "application/xml", "multipart/mixed; boundary=x", ""] {
        let request = server.post("/count/start").header("content-type", kind).body("total=5");
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 415, "{kind}");
        let detail = json(response).await["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("application/json"), "{detail}");
    }
}

#[tokio::test]
async fn non_object_body_is_400() {
    let server = Server::start().await;
    for body in ["{", "[1]", "5", "\"text\"", "{\"total\":5}}", "\u{0}"] {
        let request = server.post("/count/start").header("content-type", "application/json").body(body);
        assert_eq!(request.send().await.unwrap().status(), 400, "{body:?}");
    }
    let invalid =
        server.post("/count/start").header("content-type", "application/json").body(vec![0xff, 0xfe]);
    assert_eq!(invalid.send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn body_over_limit_is_413() {
    let server = Server::start().await;
    let body = format!("total={}", "5".repeat(2 << 20));
    let form = server.post("/count/start").header("content-type", "application/x-www-form-urlencoded");
    assert_eq!(form.body(body).send().await.unwrap().status(), 413);
}

#[tokio::test]
async fn all_invalid_fields_are_reported() {
    let server = Server::start().await;
    let body = json!({ "total": -1, "pause": "soon", "colour": "red" });
    let request = server.post("/count/start").header("content-type", "application/json");
    let response = request.body(body.to_string()).send().await.unwrap();
    assert_eq!(response.status(), 422);
    let problem = json(response).await;
    let fields: Vec<_> = problem["errors"].as_array().unwrap().iter().map(|e| e["field"].clone()).collect();
    assert_eq!(fields, ["total", "pause", "colour"]);
    assert_eq!(problem["errors"][0]["message"], "Must be 0 or more");
    assert_eq!(problem["errors"][2]["message"], "Unknown field (the fields are: total, pause)");
}

#[tokio::test]
async fn invalid_form_is_shown_with_values() {
    let server = Server::start().await;
    let form = server.post("/count/start").header("content-type", "application/x-www-form-urlencoded");
    let form = form.header("accept", "text/html").body("total=many&pause=7");
    let response = form.send().await.unwrap();
    assert_eq!(response.status(), 422);
    let html = response.text().await.unwrap();
    assert!(html.contains("value=\"many\"") && html.contains("value=\"7\""));
    assert!(html.contains("aria-invalid"));
}

#[tokio::test]
async fn many_errors_get_short_response() {
    let server = Server::start().await;
    let body = format!("{{\"lines\":[{}{{}}]}}", "{},".repeat(90_000));
    for accept in ["application/json", "text/html"] {
        let request = server.post("/fields/order/start").header("content-type", "application/json");
        let response = request.header("accept", accept).body(body.clone()).send().await.unwrap();
        assert_eq!(response.status(), 422);
        let answer = response.text().await.unwrap();
        assert!(answer.contains("lines.0.article") && answer.len() < 100_000, "{} bytes", answer.len());
    }
}

#[tokio::test]
async fn invalid_idempotency_key_is_400() {
    let server = Server::start().await;
    let start = || server.post("/count/start");
    for request in [
        start().header("idempotency-key", ""),
        start().header("idempotency-key", "k".repeat(201)),
        start().header("idempotency-key", "a\tb"),
        start().header("idempotency-key", "é"),
        start().header("idempotency-key", "a").header("idempotency-key", "b"),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 400);
        let detail = json(response).await["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("Idempotency-Key") && detail.contains("200 bytes"), "{detail}");
        assert!(detail.contains("leave it out"), "{detail}");
    }
    let runs = json(server.get("/runs").send().await.unwrap()).await;
    assert_eq!(runs["runs"], json!([]), "nothing was started");
}
