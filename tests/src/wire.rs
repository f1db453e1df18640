//! Requests that no client library sends: bodies that stop in the middle, or never end.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::{Multipart, Server};

/// A request whose body is written piece by piece.
#[derive(Debug)]
pub struct Request(pub TcpStream);

impl Request {
    /// Sends the head of a form with files; `length` is a header such as `content-length: 5`.
    pub async fn multipart(server: &Server, route: &str, length: &str) -> Self {
        Self::to(server.url.trim_start_matches("http://"), route, length).await
    }

    pub async fn to(host: &str, route: &str, length: &str) -> Self {
        let mut socket = TcpStream::connect(host).await.unwrap();
        let kind = Multipart::content_type();
        let head = format!(
            "POST /{route}/start HTTP/1.1\r\nhost: {host}\r\ncontent-type: {kind}\r\naccept: application/json\r\n{length}\r\n\r\n"
        );
        socket.write_all(head.as_bytes()).await.unwrap();
        Self(socket)
    }

    /// Sends these bytes on a new connection.
    pub async fn begun(server: &Server, bytes: &[u8]) -> Self {
        let host = server.url.trim_start_matches("http://");
        let host = host.split('/').next().unwrap();
        let mut socket = TcpStream::connect(host).await.unwrap();
        socket.write_all(bytes).await.unwrap();
        Self(socket)
    }

    /// True when the other side has closed, or closes within this time.
    pub async fn is_closed_within(&mut self, patience: Duration) -> bool {
        let mut buffer = vec![0; 64 << 10];
        let closed = async { while let Ok(1..) = self.0.read(&mut buffer).await {} };
        tokio::time::timeout(patience, closed).await.is_ok()
    }

    pub async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.unwrap();
    }

    /// One chunk of a body without a length.
    pub async fn send_chunk(&mut self, bytes: &[u8]) {
        self.send(&chunk(bytes)).await;
    }

    /// Sends `piece` repeatedly until the server accepts no more. Returns how many bytes it accepted, and its response.
    pub async fn flood(self, piece: &[u8]) -> (u64, String) {
        let (mut reader, mut writer) = self.0.into_split();
        let answer = async move {
            let mut answer = Vec::new();
            let mut buffer = [0; 4096];
            while let Ok(1..) =
                reader.read(&mut buffer).await.inspect(|read| answer.extend_from_slice(&buffer[..*read]))
            {
            }
            String::from_utf8_lossy(&answer).into_owned()
        };
        let flood = async move {
            let mut sent = 0;
            while matches!(
                tokio::time::timeout(Duration::from_secs(5), writer.write_all(piece)).await,
                Ok(Ok(()))
            ) {
                sent += piece.len() as u64;
                assert!(sent < 10 << 30, "there is no end to what is read");
            }
            sent
        };
        let (answer, sent) = tokio::join!(answer, flood);
        (sent, answer)
    }

    /// The response, until the server closes the connection or is silent for two seconds.
    pub async fn answer(self) -> String {
        self.answer_within(Duration::from_secs(2)).await
    }

    /// The response, until the server closes the connection or is silent for this long.
    pub async fn answer_within(mut self, silence: Duration) -> String {
        let mut answer = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let read = tokio::time::timeout(silence, self.0.read(&mut buffer)).await;
            match read {
                Ok(Ok(read @ 1..)) => answer.extend_from_slice(&buffer[..read]),
                _ => return String::from_utf8_lossy(&answer).into_owned(),
            }
        }
    }
}

pub fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}
