//! The baseline: one loop over all sockets, one write per socket for a whole burst, and no HTTP library.

use bytes::{Buf as _, Bytes};
use process_tests::load::Rounds;
use process_tests::wire::chunk;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::unbounded_channel;

use crate::events::{END, Lines, log};
use crate::http::{LAST_CHUNK, open};

pub(crate) async fn serve(listener: TcpListener, rounds: Rounds) {
    let (opened, mut open_ones) = unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let opened = opened.clone();
            tokio::spawn(async move {
                if open(&mut socket).await.is_ok() {
                    let _ = opened.send(socket);
                }
            });
        }
    });
    let (mut sockets, mut lines) = (Vec::new(), Lines::new(rounds));
    loop {
        let burst = lines.next().await;
        while let Ok(socket) = open_ones.try_recv() {
            sockets.push(socket);
        }
        let bytes = match &burst {
            Some(lines) => chunk(&lines.iter().flat_map(log).collect::<Vec<_>>()),
            None => [&chunk(&END), LAST_CHUNK].concat(),
        };
        to_all(&mut sockets, bytes.into()).await;
        if burst.is_none() {
            // Closes them all.
            return std::future::pending().await;
        }
    }
}

async fn to_all(sockets: &mut Vec<TcpStream>, bytes: Bytes) {
    let mut behind = Vec::new();
    for index in (0..sockets.len()).rev() {
        match sockets[index].try_write(&bytes) {
            Ok(written) if written == bytes.len() => {}
            Ok(written) => behind.push((index, bytes.slice(written..))),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                behind.push((index, bytes.clone()));
            }
            Err(_) => drop(sockets.swap_remove(index)),
        }
    }
    // A viewer that does not read blocks all others, which is acceptable because all read.
    for (index, mut rest) in behind {
        let Some(socket) = sockets.get(index) else { continue };
        while !rest.is_empty() && socket.writable().await.is_ok() {
            match socket.try_write(&rest) {
                Ok(written) => rest.advance(written),
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Err(_) => break,
            }
        }
    }
}
