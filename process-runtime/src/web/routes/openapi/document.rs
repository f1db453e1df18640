//! The OpenAPI document of a mount: every route of the router, with the paths of every process.

use crate::process::Process;

use super::components::{components, problem};
use super::json_schema::Schema;
use super::model::{
    Document, Info, Operation, Parameter, PathItem, Response, Server, Tag, shared_header, shared_parameter,
    shared_response,
};
use super::operations::{bytes, guarded, header, json, json_or_page, not_modified, read};
use super::{of_process, of_run};

const DESCRIPTION: &str = "\
Starts long-running processes and watches their runs.

Errors are `application/problem+json` (RFC 9457). A client that prefers `text/html` receives pages instead, redirects \
to sign in, and errors as pages. Every GET route answers HEAD, too. Which processes and links a client sees depends on \
its permissions. Properties may be added to any object: ignore those that you do not know.";

const TAGS: [Tag; 3] = [
    Tag { name: "processes", description: "The processes, and those of them without a group." },
    Tag { name: "runs", description: "Runs: history, streams, control and downloads." },
    Tag { name: "operations", description: "Health checks, metrics and this document." },
];

/// What a visitor may use of a mount.
pub(super) struct Offered<'a> {
    /// Each process that the visitor may view, and whether the visitor may start it.
    pub(super) processes: &'a [(&'static Process, bool)],
    pub(super) has_metrics: bool,
    /// Where the router is mounted.
    pub(super) base: &'a str,
}

/// The document for a visitor.
pub(super) fn document(offered: &Offered<'_>) -> Document {
    let mut components = components();
    let mut tags = Vec::from(TAGS);
    let mut paths = vec![("/".to_owned(), PathItem::get(index()))];
    for (process, starts) in offered.processes {
        paths.extend(of_process::paths(process, *starts, &mut components));
        if let Some(name) = process.group.filter(|group| tags.iter().all(|tag| tag.name != *group)) {
            tags.push(Tag { name, description: "The processes of this group." });
        }
    }
    paths.extend(of_run::paths());
    paths.extend([
        ("/openapi.json".to_owned(), PathItem::get(openapi())),
        ("/assets/{name}".to_owned(), PathItem::get(asset())),
        ("/healthz".to_owned(), PathItem::get(healthz())),
        ("/readyz".to_owned(), PathItem::get(readyz())),
    ]);
    if offered.has_metrics {
        paths.push(("/metrics".to_owned(), PathItem::get(metrics())));
    }
    let url = if offered.base.is_empty() { "/" } else { offered.base };
    Document {
        openapi: "3.1.0",
        info: Info { title: "Processes", version: env!("CARGO_PKG_VERSION"), description: DESCRIPTION },
        servers: [Server { url: url.to_owned() }],
        tags,
        paths,
        components,
    }
}

fn index() -> Operation {
    let all = Schema::object(&[("processes", Schema::list(Schema::shared("Process")))]);
    read(Operation::new("processes", "index", "Every process and its latest run"))
        .described("`q` searches on the page only: JSON has all processes.")
        .parameter(shared_parameter("Search"))
        .parameter(shared_parameter("Language"))
        .response(200, json_or_page("The processes that the visitor may view.", all))
        .response(400, problem("`q` is too long."))
}

fn operation(id: &'static str, summary: &'static str) -> Operation {
    Operation::new("operations", id, summary)
}

fn openapi() -> Operation {
    let this = json("An OpenAPI 3.1 document.", Schema::map(Schema::any()));
    read(operation("openapi", "This document")).response(200, this)
}

fn asset() -> Operation {
    let caching = header("`immutable` for names that contain a hash of the content.");
    let content = bytes(Response::new("The content, compressed with gzip if the client accepts it."))
        .header("ETag", shared_header("ETag"))
        .header("Cache-Control", caching);
    guarded(operation("asset", "A script, a style sheet or the logo of the pages"))
        .parameter(Parameter::path("name", "The name of the asset.", Schema::string()))
        .parameter(shared_parameter("IfNoneMatch"))
        .response(200, content)
        .response(304, not_modified())
        .response(404, shared_response("NotFound"))
}

fn metrics() -> Operation {
    let text =
        Response::new("Metrics in the Prometheus text format.").content("text/plain", Schema::string());
    read(operation("metrics", "Metrics for operators")).response(200, text)
}

/// Health checks come from any host, and have no problems: load balancers read the status.
fn probe(description: &'static str, words: &[&str]) -> Response {
    Response::new(description).content("text/plain", Schema::one_of(words.iter().copied()))
}

fn healthz() -> Operation {
    operation("healthz", "Liveness: the server answers").response(200, probe("It is alive.", &["ok"]))
}

fn readyz() -> Operation {
    let why = "It is shutting down, claims no runs, or cannot write its store.";
    operation("readyz", "Readiness: this node claims runs and its store can be written")
        .response(200, probe("It is ready.", &["ready"]))
        .response(503, probe(why, &["stopping", "runner", "store"]))
}
