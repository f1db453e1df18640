//! Processes inside a site with its own layout, on <http://127.0.0.1:3000>: the site's layout contains the pages, and
//! builds its own list of processes from their data.

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::response::Html;
use axum::routing::get;
use process_runtime::prelude::*;
use process_runtime::{Branding, Page, PageKind};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::time::{Duration, sleep};

/// The site's own style. It overrides that of the pages, which is in a cascade layer.
const STYLE: &str = "
body { margin: 0; font-family: Georgia, serif; }
.shop { display: flex; gap: 1.5rem; padding: 1rem 2rem; background: #0a7d55; }
.shop a { color: #fff; }
.jobs { display: grid; grid-template-columns: repeat(auto-fill, minmax(16rem, 1fr)); gap: 1rem; margin-top: 1rem; }
.jobs a { display: block; padding: 1.5rem; border: 2px solid; border-radius: 1rem; }
";

/// Counts to twenty, slowly.
#[process(title = "Count the lamps")]
async fn count_lamps(#[field(default = 20, max = 1_000)] lamps: u32) {
    for lamp in 1..=lamps {
        sleep(Duration::from_millis(500)).await;
        set_progress_of(lamp, lamps);
        set_progress_text(format!("Lamp {lamp}"));
    }
}

/// Dusts every shelf.
#[process(title = "Dust the shelves")]
async fn dust_shelves() {
    for shelf in (1..=8).progress() {
        sleep(Duration::from_secs(1)).await;
        log(format!("Shelf {shelf} is clean"));
    }
}

/// The site's frame, for its own pages and for those of processes.
fn framed(language: &str, title: &str, head: &str, content: &str) -> String {
    format!(
        r##"<!DOCTYPE html>
<html lang="{language}">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>{title} – Lamps and Shelves</title>
  {head}
  <link rel="stylesheet" href="/site.css">
</head>
<body>
  <a class="skip" href="#main">Skip to content</a>
  <header class="shop"><a href="/">Lamps and Shelves</a> <a href="/jobs">Jobs</a> <a href="/jobs/runs">Log book</a></header>
  <main id="main">{content}</main>
</body>
</html>"##,
        title = escaped(title),
    )
}

/// A page of processes in the site's frame. Titles are texts, and are escaped; head and content are markup.
fn layout(page: &Page<'_>) -> String {
    match page.kind() {
        PageKind::Index => framed(page.language(), "Jobs", page.head(), &jobs(&page.data())),
        _ => framed(page.language(), page.title(), page.head(), page.content()),
    }
}

/// The site's own list of processes, built from the JSON that programs get.
fn jobs(data: &Value) -> String {
    let text = |value: &Value| escaped(value.as_str().unwrap_or_default());
    let jobs = data["processes"].as_array().into_iter().flatten().map(|process| {
        let state = match &process["latest"]["status"] {
            Value::Null => "never run".to_owned(),
            status => text(status),
        };
        let (address, title) = (text(&process["links"]["show_progress"]), text(&process["title"]));
        format!("<li><a href=\"{address}\"><b>{title}</b><br>{state}</a></li>")
    });
    format!("<h1>What this shop can do</h1><ul class=\"jobs\">{}</ul>", jobs.collect::<String>())
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let look = Branding::new().accent("#0a7d55").dark_accent("#5fd3a4");
    let processes = process_runtime::builder().branding(look).layout(layout).build()?;
    let home = framed("en", "Welcome", "", "<h1>Welcome</h1><p><a href=\"/jobs\">See what we can do</a></p>");
    let app = Router::new()
        .route("/", get(|| async { Html(home) }))
        .route("/site.css", get(|| async { ([(CONTENT_TYPE, "text/css")], STYLE) }))
        .nest("/jobs", processes.router());
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    Ok(axum::serve(listener, app.into_make_service()).await?)
}
