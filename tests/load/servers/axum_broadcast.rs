//! What one writes today: axum, a broadcast of lines, and an `Event` made of each for each viewer.

use std::convert::Infallible;

use axum::Router;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::get;
use axum::serve::ListenerExt as _;
use futures_util::stream::{Stream, StreamExt as _, once, unfold};
use process_runtime::run::LogLine;
use process_tests::load::Rounds;
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::events::{Lines, id};

/// More than a burst.
const ROOM: usize = 1_024;

pub(crate) async fn serve(listener: TcpListener, rounds: Rounds) {
    let (sender, _) = broadcast::channel(ROOM);
    let viewers = sender.clone();
    let answer =
        move || async move { Sse::new(events(viewers.subscribe())).keep_alive(KeepAlive::default()) };
    let app = Router::new().route("/", get(answer));
    let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
    tokio::spawn(async move { axum::serve(listener, app).await });
    let mut lines = Lines::new(rounds);
    while let Some(burst) = lines.next().await {
        for line in burst {
            let _ = sender.send(Some(line));
        }
    }
    let _ = sender.send(None);
    std::future::pending::<()>().await;
}

/// `None` is the end.
fn events(lines: broadcast::Receiver<Option<LogLine>>) -> impl Stream<Item = Result<Event, Infallible>> {
    let snapshot = Event::default().event("snapshot").data(r#"{"status":"running"}"#);
    let events = unfold(Some(lines), |lines| async move {
        let mut lines = lines?;
        loop {
            match lines.recv().await {
                Ok(Some(line)) => {
                    let event = Event::default().id(id(line.seq)).event("log").json_data(&line).unwrap();
                    return Some((event, Some(lines)));
                }
                Ok(None) => {
                    return Some((Event::default().event("end").data(r#"{"status":"succeeded"}"#), None));
                }
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    });
    once(async { snapshot }).chain(events).map(Ok)
}
