//! The least of HTTP that a stream needs, written by hand.

use std::io;

use process_tests::wire::chunk;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::events::SNAPSHOT;

const HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-store\r\ntransfer-encoding: chunked\r\n\r\n";

/// What ends a body.
pub(crate) const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// Reads any request, and answers it up to the first event.
pub(crate) async fn open(socket: &mut TcpStream) -> io::Result<()> {
    socket.set_nodelay(true)?;
    let (mut head, mut buffer) = (Vec::new(), [0; 1_024]);
    while !head.ends_with(b"\r\n\r\n") {
        match socket.read(&mut buffer).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => head.extend_from_slice(&buffer[..count]),
        }
    }
    socket.write_all(&[HEAD, &chunk(&SNAPSHOT)].concat()).await
}
