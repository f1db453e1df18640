//! Streams: nothing of them is held back, packed into lumps or cut off, though nginx buffers what it passes on.
//!
//! Nobody measures how long an event takes: the run goes on only when it was seen, so that one that is held back
//! holds up everything, and the test waits in vain.

use std::io::Write as _;
use std::time::Duration;

use flate2::write::GzDecoder;
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use process_tests::events::line_numbers;
use process_tests::stepwise::Stepwise;
use process_tests::{Event, Events, Program, Site};
use reqwest::{Body, Response};
use serde_json::json;
use tokio::time::timeout;

use super::PROGRAM;
use super::nginx::Nginx;

const STEPS: u64 = 30;

/// Waits for every step in these streams before the next one starts, and follows all of them to their end.
async fn watch(mut stepwise: Stepwise, mut streams: Vec<Events>) {
    let mut seen = vec![Vec::new(); streams.len()];
    for step in 1..=STEPS {
        for (stream, seen) in streams.iter_mut().zip(&mut seen) {
            while !has_seen(seen, step) {
                seen.push(stream.next().await.unwrap());
            }
        }
        stepwise.go_on().await;
    }
    for (stream, mut seen) in streams.into_iter().zip(seen) {
        seen.extend(stream.all().await);
        assert_eq!(seen[0].name, "snapshot");
        assert_eq!(line_numbers(&seen), (1..=STEPS).collect::<Vec<_>>());
        assert_eq!(seen.last().unwrap().data["status"], "succeeded");
    }
}

/// True if these events contain the whole step: the progress and the log line.
fn has_seen(events: &[Event], step: u64) -> bool {
    events.iter().any(|event| event.data["current"] == step) && line_numbers(events).contains(&step)
}

/// Watches a run step by step through this nginx.
async fn watch_through(nginx: &Nginx) {
    let site = Site::at(nginx.url());
    let stepwise = Stepwise::start(&site, STEPS).await;
    let stream = site.events(&stepwise.run).await;
    watch(stepwise, vec![stream]).await;
}

pub(crate) async fn nginx_delivers_each_event_immediately() {
    let program = Program::start(PROGRAM, &[]);
    watch_through(&Nginx::before(program.port())).await;
}

/// The default version depends on nginx's age.
pub(crate) async fn every_upstream_http_version_delivers_immediately() {
    let program = Program::start(PROGRAM, &[]);
    let pass = format!("proxy_pass http://127.0.0.1:{};", program.port());
    for how in ["proxy_http_version 1.0;", "proxy_http_version 1.1; proxy_set_header Connection '';"] {
        watch_through(&Nginx::start("", &format!("location / {{ {pass} {how} }}"))).await;
    }
}

pub(crate) async fn gzip_nginx_delivers_each_event_immediately() {
    let program = Program::start(PROGRAM, &[]);
    let pass = format!("location / {{ proxy_pass http://127.0.0.1:{}; }}", program.port());
    let nginx = Nginx::start("", &format!("gzip on; gzip_types *; {pass}"));
    let site = Site::at(nginx.url());
    let stepwise = Stepwise::start(&site, STEPS).await;
    let events = site.get(&format!("{}/events", stepwise.run)).header("accept-encoding", "gzip");
    let packed = events.send().await.unwrap();
    assert_eq!(packed.headers()["content-encoding"], "gzip");
    watch(stepwise, vec![Events::of(unpacked(packed))]).await;
}

/// The decompressed response: data is decompressed as soon as it arrives.
fn unpacked(response: Response) -> Response {
    let content_type = response.headers()["content-type"].clone();
    let mut decoder = GzDecoder::new(Vec::new());
    let plain = response.bytes_stream().map(move |packed| {
        decoder.write_all(&packed.unwrap()).unwrap();
        decoder.flush().unwrap();
        Ok::<_, std::io::Error>(std::mem::take(decoder.get_mut()))
    });
    let answer = axum::http::Response::builder().header("content-type", content_type);
    answer.body(Body::wrap_stream(plain)).unwrap().into()
}

pub(crate) async fn http2_nginx_shares_one_connection() {
    let program = Program::start(PROGRAM, &[]);
    let pass = format!("location / {{ proxy_pass http://127.0.0.1:{}; }}", program.port());
    let nginx = Nginx::start("http2", &pass);
    let site = Site::with(nginx.url(), |client| client.http2_prior_knowledge());
    let stepwise = Stepwise::start(&site, STEPS).await;
    // Over HTTP/1.1 a browser has six connections for all its tabs.
    let streams = join_all((0..12).map(|_| site.events(&stepwise.run))).await;
    watch(stepwise, streams).await;
    let requests = nginx.requests();
    let first = &requests[0];
    assert_eq!(requests.len(), 13, "{requests:?}");
    assert!(
        requests.iter().all(|request| request[..2] == [first[0].clone(), "HTTP/2.0".into()]),
        "{requests:?}"
    );
}

/// nginx's timeout is a minute without data from the program. Here it is slightly longer than the ping interval, so
/// that the test takes half a minute.
pub(crate) async fn idle_stream_outlives_proxy_timeout() {
    let program = Program::start(PROGRAM, &[]);
    let pass = format!("proxy_pass http://127.0.0.1:{}; proxy_read_timeout 18s;", program.port());
    let nginx = Nginx::start("", &format!("location / {{ {pass} }}"));
    let site = Site::at(nginx.url());
    let run = site.run("wait", json!({})).await;
    let mut events = site.events(&run).await;
    for _ in 0..2 {
        events.until(|event| event.name == "ping").await;
    }
    assert_eq!(site.post(&format!("{run}/cancel")).send().await.unwrap().status(), 200);
    assert_eq!(events.all().await.last().unwrap().data["status"], "cancelled");
}

/// The other tests would see it if events were held back: this nginx does so.
pub(crate) async fn nginx_ignoring_headers_buffers_the_stream() {
    let program = Program::start(PROGRAM, &[]);
    let pass = format!("proxy_pass http://127.0.0.1:{};", program.port());
    let nginx = Nginx::start("", &format!("location / {{ {pass} proxy_ignore_headers X-Accel-Buffering; }}"));
    let stepwise = Stepwise::start(&program, STEPS).await;
    let site = Site::at(nginx.url());
    let watching = async {
        let stream = site.events(&stepwise.run).await;
        watch(stepwise, vec![stream]).await;
    };
    let watched = timeout(Duration::from_secs(5), watching).await;
    assert!(watched.is_err(), "nginx holds nothing back: the other tests show nothing");
}
