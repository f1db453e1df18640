//! HTTP/2 without TLS, as behind a proxy: the same responses, and any number of streams on one connection.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use process_tests::events::line_numbers;
use process_tests::{Event, Events, Server, Site};
use serde_json::json;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A line to a server: it counts the connections, and can cut them all.
struct Line {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    cut: watch::Sender<()>,
}

impl Line {
    async fn to(server: &Server) -> Self {
        let far = server.url.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let (cut, _) = watch::channel(());
        let line = Self { address, connections: Arc::clone(&connections), cut: cut.clone() };
        tokio::spawn(async move {
            while let Ok((mut near, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let mut far = TcpStream::connect(&far).await.unwrap();
                let mut cut = cut.subscribe();
                tokio::spawn(async move {
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        _ = cut.changed() => {}
                    }
                });
            }
        });
        line
    }

    /// The same server for a client with HTTP/2 prior knowledge.
    fn site(&self) -> Site {
        Site::with(format!("http://{}", self.address), |client| client.http2_prior_knowledge())
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    fn cut(&self) {
        self.cut.send_replace(());
    }
}

#[tokio::test]
async fn http2_serves_pages_starts_and_assets() {
    let server = Server::start().await;
    let line = Line::to(&server).await;
    let site = line.site();
    let page = site.get("/count/show_progress").header("accept", "text/html").send().await.unwrap();
    assert_eq!(page.status(), 200);
    assert_eq!(page.version(), reqwest::Version::HTTP_2);
    let html = page.text().await.unwrap();
    for asset in html.split('"').filter(|part| part.starts_with("/assets/")) {
        assert_eq!(site.get(asset).send().await.unwrap().status(), 200);
    }
    let form = site.post("/count/start").header("content-type", "application/x-www-form-urlencoded");
    let started = form.header("accept", "text/html").body("total=3&pause=1").send().await.unwrap();
    assert_eq!(started.status(), 303);
    let run = started.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(site.ended(&run).await["result"], json!({ "message": "Counted", "total": 3 }));
    assert_eq!(line.connections(), 1);
}

#[tokio::test]
async fn http2_stream_matches_http1() {
    let server = Server::start().await;
    let site = Line::to(&server).await.site();
    let run = site.run("count", json!({ "total": 50, "pause": 10 })).await;
    let response = site.get(&format!("{run}/events")).send().await.unwrap();
    assert_eq!(response.version(), reqwest::Version::HTTP_2);
    assert_eq!(response.headers()["cache-control"], "no-store, no-transform");
    let (events, others) =
        tokio::join!(Events::of(response).all(), async { server.events(&run).await.all().await });
    assert_eq!(events[0].name, "snapshot");
    assert_eq!(line_numbers(&events), (1..=50).collect::<Vec<_>>());
    assert!(events.iter().filter(|event| event.name == "progress").count() > 2);
    assert_eq!(events.last(), others.last());
    let again = site.get(&format!("{run}/events")).header("last-event-id", &events.last().unwrap().id);
    assert_eq!(again.send().await.unwrap().status(), 204);
}

#[tokio::test]
async fn hundred_http2_streams_share_one_connection() {
    let server = Server::start().await;
    let line = Line::to(&server).await;
    let site = line.site();
    let run = site.run("count", json!({ "total": 100, "pause": 10 })).await;
    let waiting = site.run("wait", json!({})).await;
    let streams = join_all((0..100).map(|_| site.events(&run))).await;
    let quiet = site.events(&waiting).await;
    assert_eq!(line.connections(), 1);
    for events in join_all(streams.into_iter().map(Events::all)).await {
        assert_eq!(line_numbers(&events), (1..=100).collect::<Vec<_>>());
        assert_eq!(events.last().unwrap().data["status"], "succeeded");
    }
    // An open stream does not block other requests.
    assert_eq!(site.post(&format!("{waiting}/cancel")).send().await.unwrap().status(), 200);
    assert_eq!(quiet.all().await.last().unwrap().data["status"], "cancelled");
    assert_eq!(line.connections(), 1);
}

#[tokio::test]
async fn one_http2_stream_carries_many_runs() {
    let server = Server::start().await;
    let site = Line::to(&server).await.site();
    let run = site.run("count", json!({ "total": 20, "pause": 10 })).await;
    let bar = site.run("chat", json!({ "lines": 500, "pause": 20 })).await;
    let [run, bar] = [&run, &bar].map(|run| run.strip_prefix("/runs/").unwrap().to_owned());
    let events = site.get(&format!("/events?run={run}&progress={bar}")).send().await.unwrap();
    let events = Events::of(events).all().await;
    let ends =
        events.iter().filter(|event| event.name == "end").map(|event| event.data["run"].as_str().unwrap());
    let mut ends: Vec<_> = ends.collect();
    ends.sort_unstable();
    assert_eq!(ends, [&run, &bar]);
    let is_of = |event: &Event| event.data["run"] == run.as_str() || event.data["id"] == run.as_str();
    let (whole, bare): (Vec<_>, Vec<_>) = events.iter().cloned().partition(is_of);
    assert_eq!(line_numbers(&whole), (1..=20).collect::<Vec<_>>());
    assert!(bare.iter().all(|event| event.name != "log" && event.data.get("log").is_none()));
    assert_eq!(bare[0].name, "snapshot");
}

#[tokio::test]
async fn http2_reconnect_resumes_every_stream() {
    let server = Server::start().await;
    let line = Line::to(&server).await;
    let site = line.site();
    let run = site.run("count", json!({ "total": 400, "pause": 10 })).await;
    let mut viewers: Vec<Vec<Event>> = vec![Vec::new(); 8];
    for cuts in 0..4 {
        let streams = viewers.iter().map(|seen| {
            let last = seen.last().map_or("", |event| event.id.as_str());
            site.get(&format!("{run}/events")).header("last-event-id", last).send()
        });
        let mut streams: Vec<_> =
            join_all(streams).await.into_iter().map(|one| Events::of(one.unwrap())).collect();
        assert_eq!(line.connections(), cuts + 1);
        if cuts < 3 {
            viewers[0].extend(
                streams[0].until(|event| event.data["seq"].as_u64() >= Some(45 * (cuts as u64 + 1))).await,
            );
            line.cut();
        }
        for (stream, seen) in streams.iter_mut().zip(&mut viewers) {
            while let Ok(Some(event)) = stream.try_next().await {
                seen.push(event);
            }
        }
    }
    for seen in viewers {
        assert_eq!(line_numbers(&seen), (1..=400).collect::<Vec<_>>());
        assert_eq!(seen.last().unwrap().data["status"], "succeeded");
    }
}
