//! nginx with the module nchan in front of the viewers: each event is posted to it once.
//!
//! Both come with Debian (`nginx`, `libnginx-mod-nchan`); nothing is installed here.

use std::fs;
use std::process::Stdio;
use std::time::Duration;

use process_tests::load::{Rounds, nchan_module};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;

use crate::events::Lines;

pub(crate) async fn serve(listener: TcpListener, rounds: Rounds) {
    let addr = listener.local_addr().unwrap();
    // nginx wants a number: the free one that was found.
    drop(listener);
    let folder = TempDir::new().unwrap();
    let config = folder.path().join("nginx.conf");
    let module = nchan_module().expect("the module nchan is not installed");
    let text =
        config_of(&module.display().to_string(), &addr.to_string(), &folder.path().display().to_string());
    fs::write(&config, text).unwrap();
    // Gone when this program is, however it ends.
    let mut nginx = Command::new("setpriv");
    nginx.args(["--pdeathsig", "TERM", "nginx", "-e", "stderr", "-c"]).arg(&config);
    let _nginx = nginx.stdin(Stdio::null()).stdout(Stdio::null()).spawn().unwrap();
    let mut publisher = loop {
        match TcpStream::connect(addr).await {
            Ok(socket) => break socket,
            Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    publisher.set_nodelay(true).unwrap();
    post(&mut publisher, &[("snapshot", r#"{"status":"running"}"#.into())]).await;
    println!("http://{addr}/");
    let mut lines = Lines::new(rounds);
    while let Some(burst) = lines.next().await {
        let events: Vec<_> = burst.iter().map(|line| ("log", serde_json::to_string(line).unwrap())).collect();
        post(&mut publisher, &events).await;
    }
    post(&mut publisher, &[("end", r#"{"status":"succeeded"}"#.into())]).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    // Closes the streams.
    publisher.write_all(b"DELETE /publish HTTP/1.1\r\nhost: localhost\r\n\r\n").await.unwrap();
    std::future::pending::<()>().await;
}

/// Posts all of them at once, and waits until each is answered.
async fn post(publisher: &mut TcpStream, events: &[(&str, String)]) {
    let requests = events.iter().map(|(name, data)| {
        let length = data.len();
        format!(
            "POST /publish HTTP/1.1\r\nhost: localhost\r\nx-eventsource-event: {name}\r\n\
             content-length: {length}\r\n\r\n{data}"
        )
    });
    publisher.write_all(requests.collect::<String>().as_bytes()).await.unwrap();
    let (mut answers, mut buffer) = (Vec::new(), [0; 4_096]);
    while answers.windows(10).filter(|ten| ten == b"HTTP/1.1 2").count() < events.len() {
        let count = publisher.read(&mut buffer).await.unwrap();
        assert!(count > 0, "{}", String::from_utf8_lossy(&answers));
        answers.extend_from_slice(&buffer[..count]);
    }
}

fn config_of(module: &str, addr: &str, folder: &str) -> String {
    format!(
        "load_module {module};
        user root;
        daemon off;
        worker_processes 1;
        worker_rlimit_nofile 20000;
        pid {folder}/pid;
        error_log stderr crit;
        events {{ worker_connections 16000; }}
        http {{
            access_log off;
            tcp_nodelay on;
            keepalive_requests 10000000;
            nchan_max_reserved_memory 256M;
            client_body_temp_path {folder}/body;
            proxy_temp_path {folder}/proxy;
            fastcgi_temp_path {folder}/fastcgi;
            uwsgi_temp_path {folder}/uwsgi;
            scgi_temp_path {folder}/scgi;
            server {{
                listen {addr} backlog=4096;
                location = /publish {{
                    nchan_publisher http;
                    nchan_channel_id run;
                    nchan_message_buffer_length 1000;
                    nchan_message_timeout 10m;
                }}
                location = / {{
                    nchan_subscriber eventsource;
                    nchan_channel_id run;
                    nchan_subscriber_first_message oldest;
                }}
            }}
        }}
        "
    )
}
