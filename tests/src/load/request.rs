//! One request and its whole response, without an async runtime.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::frames::Frames;

/// The response.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// Sends a request with a body of JSON, if any, and waits for up to 30 seconds at a time for its answer.
pub fn request(addr: SocketAddr, line: &str, body: &str) -> io::Result<Answer> {
    let mut socket = TcpStream::connect(addr)?;
    socket.set_read_timeout(Some(Duration::from_secs(30)))?;
    let length = body.len();
    let head = format!(
        "{line} HTTP/1.1\r\nhost: {addr}\r\naccept: application/json\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\nconnection: close\r\n\r\n{body}"
    );
    socket.write_all(head.as_bytes())?;
    let (mut all, mut frames, mut unpacked) = (Vec::new(), Frames::default(), Vec::new());
    socket.read_to_end(&mut all)?;
    frames.unpack(&all, &mut unpacked);
    Ok(Answer { status: frames.status(), body: unpacked })
}
