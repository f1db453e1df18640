//! The program: its address, its data folder, and its startup errors.

mod pages;

use std::env;
use std::error::Error;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use process_examples::{Data, Pace};
use tokio::net::TcpListener;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::prelude::*;

#[tokio::main]
async fn main() -> ExitCode {
    // What viewers are not shown, such as a panic's message, is written to stderr. What a run says goes to its
    // own log, and from WARN on to both.
    let stderr = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    tracing_subscriber::registry()
        .with(LevelFilter::INFO)
        .with(stderr.with_filter(LevelFilter::WARN))
        .with(process_runtime::layer())
        .init();
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            #[expect(clippy::print_stderr, reason = "prints the startup error")]
            {
                eprintln!("{error}");
            }
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let address = setting("PROCESS_ADDR", "127.0.0.1:3000")?;
    let address: SocketAddr = address
        .parse()
        .map_err(|_| format!("PROCESS_ADDR must be an address such as 127.0.0.1:3000, not `{address}`"))?;
    let folder = PathBuf::from(env::var_os("PROCESS_DATA").unwrap_or_else(|| "process-data".into()));
    let pace = match setting("PROCESS_PACE", "")?.as_str() {
        "" => Pace::default(),
        seconds => Pace::parse(seconds)?,
    };

    // Before anything is created or started, so that a second server on the same address changes nothing.
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("PROCESS_ADDR: cannot listen on {address}: {error}"))?;
    let data = Data::open(&folder)
        .map_err(|error| format!("PROCESS_DATA: could not use the folder {}: {error}", folder.display()))?;
    let processes = process_runtime::builder()
        .data_dir(&folder)
        // Load tests of a deployment start hundreds of metronome runs.
        .max_running(1_000)
        .state(data.catalog)
        .state(data.users)
        .state(data.site)
        .state(pace)
        // Metrics for Prometheus at `/metrics`; `docs/grafana.json` is a dashboard for them.
        .metrics_route()
        .build()?;

    process_runtime::serve_with(listener, processes, pages::pages()).await?;
    Ok(())
}

/// A variable of the environment, or its default when it is not set.
fn setting(name: &str, default: &str) -> Result<String, String> {
    match env::var(name) {
        Ok(value) => Ok(value),
        Err(env::VarError::NotPresent) => Ok(default.to_owned()),
        Err(env::VarError::NotUnicode(_)) => Err(format!("{name} is not readable text")),
    }
}
