//! A server with the fixtures, to be killed. Prints its address. The first argument is its folder; the optional second
//! one is the time in milliseconds after which a silent run counts as stalled.

use std::error::Error;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use process_runtime::{AccessRequest, Action, Actor, Denied, Limits};
use process_tests::fixtures::Traces;

/// By a cookie: root may do everything; others may only view, and only while no file named `closed` exists; a guest may
/// sign in then.
fn who_may(folder: &Path, request: &AccessRequest) -> Result<Actor, Denied> {
    let cookies = request.parts().headers.get("cookie").and_then(|cookies| cookies.to_str().ok());
    let mut cookies = cookies.unwrap_or_default().split("; ");
    let user = cookies.find_map(|cookie| cookie.strip_prefix("user=")).ok_or_else(Denied::not_found)?;
    let may = request.action() == Action::View && !folder.join("closed").exists();
    match user {
        _ if user == "root" || may => Ok(Actor::named(user)),
        "guest" => Err(Denied::sign_in("/login")),
        _ => Err(Denied::not_found()),
    }
}

#[tokio::main]
pub(crate) async fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args_os().nth(1).ok_or("the data folder is missing")?);
    if std::env::var_os("PROCESS_TEST_PANICS_ABORT").is_some() {
        // As a program built with `panic = "abort"`: it prints the panic and aborts.
        let say = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            say(panic);
            std::process::abort();
        }));
    }
    if let Ok(level) = std::env::var("PROCESS_TEST_LOG") {
        let level: tracing::Level = level.parse()?;
        tracing_subscriber::fmt().with_max_level(level).with_writer(std::io::stderr).init();
    }
    let mut builder = process_runtime::builder();
    if let Ok(lease) = std::env::var("PROCESS_TEST_LEASE_MS") {
        builder = builder.lease(Duration::from_millis(lease.parse()?));
    }
    if let Ok(upload) = std::env::var("PROCESS_TEST_UPLOAD") {
        builder = builder.limits(Limits::default().max_upload_bytes(upload.parse()?));
    }
    if let Ok(path) = std::env::var("PROCESS_TEST_MOUNTED_AT") {
        builder = builder.mounted_at(path);
    }
    if std::env::var_os("PROCESS_TEST_ACCESS").is_some() {
        let folder = folder.clone();
        builder = builder.reauthorize_every(Duration::from_millis(100)).authorize(move |request| {
            let answer = who_may(&folder, &request);
            async move { answer }
        });
    }
    let mut builder =
        builder.data_dir(folder).state(Traces::default()).shutdown_timeout(Duration::from_secs(2));
    if let Some(silence) = std::env::args().nth(2) {
        builder = builder.stalled_after(Duration::from_millis(silence.parse()?));
    }
    let processes = builder.build()?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    if let Ok(prefix) = std::env::var("PROCESS_TEST_NESTED") {
        // As in an application with other pages.
        writeln!(std::io::stdout(), "http://{}{prefix}/", listener.local_addr()?)?;
        return Ok(
            axum::serve(listener, axum::Router::new().nest_service(&prefix, processes.router())).await?
        );
    }
    Ok(process_runtime::serve_on(listener, processes).await?)
}
