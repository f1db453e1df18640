//! A task a socket, a write an event, and no HTTP library.

use bytes::Bytes;
use process_tests::load::Rounds;
use process_tests::wire::chunk;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::events::{END, Lines, log};
use crate::http::{LAST_CHUNK, open};

/// More than a burst.
const ROOM: usize = 1_024;

pub(crate) async fn serve(listener: TcpListener, rounds: Rounds) {
    let (sender, _) = broadcast::channel::<Bytes>(ROOM);
    let viewers = sender.clone();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut events = viewers.subscribe();
            tokio::spawn(async move {
                open(&mut socket).await?;
                loop {
                    match events.recv().await {
                        Ok(event) => {
                            socket.write_all(&event).await?;
                            if event.ends_with(LAST_CHUNK) {
                                return Ok::<_, std::io::Error>(());
                            }
                        }
                        Err(RecvError::Lagged(_)) => {}
                        Err(RecvError::Closed) => return Ok(()),
                    }
                }
            });
        }
    });
    let mut lines = Lines::new(rounds);
    while let Some(burst) = lines.next().await {
        for line in &burst {
            let _ = sender.send(chunk(&log(line)).into());
        }
    }
    let _ = sender.send([&chunk(&END), LAST_CHUNK].concat().into());
    std::future::pending::<()>().await;
}
