//! A page of your own that shows a run with only an `EventSource`, on <http://127.0.0.1:3000>.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use process_runtime::prelude::*;
use tokio::net::TcpListener;
use tokio::time::{Duration, sleep};

const PAGE: &str = r#"<!DOCTYPE html>
<html lang="en">
<title>Counting</title>
<button>Start</button> <progress max="100" value="0"></progress>
<ol></ol>
<script>
  const [button, bar, results] = ["button", "progress", "ol"].map((name) => document.querySelector(name));
  button.onclick = async () => {
    const response = await fetch("/processes/count/start", { method: "POST" });
    const run = await response.json();
    const source = new EventSource(run.links.events + "?format=message");
    source.onmessage = (event) => {
      const { message, progress } = JSON.parse(event.data);
      results.appendChild(document.createElement("li")).textContent = message;
      bar.value = progress ?? 0;
      if (event.lastEventId === "CLOSE") source.close();
    };
  };
</script>
</html>"#;

/// Counts to ten, slowly.
#[process(title = "Count to ten")]
async fn count() {
    for number in 1..=10 {
        sleep(Duration::from_secs(1)).await;
        set_progress_of(number, 10);
        set_progress_text(format!("On iteration {number} of 10"));
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let app = Router::new().route("/", get(Html(PAGE))).nest("/processes", process_runtime::router());
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    axum::serve(listener, app.into_make_service()).await
}
