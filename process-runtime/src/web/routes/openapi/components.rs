//! The shared components: the schemas of runs and events, problems, parameters and headers.

use crate::processes::MAX_KEY;
use crate::run::{Level, RunStatus};
use crate::web::request::language::LANG;
use crate::web::request::share_link::SHARE;

use super::json_schema::Schema;
use super::model::{Components, Header, Parameter, Response, shared_header};

pub(super) fn components() -> Components {
    Components {
        schemas: schemas().into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect(),
        parameters: parameters(),
        headers: headers(),
        responses: problems(),
    }
}

/// The name of the schema of a problem.
pub(super) const PROBLEM: &str = "Problem";

/// An error, as programs receive it. Browsers receive a page.
pub(super) fn problem(description: &'static str) -> Response {
    Response::new(description).content("application/problem+json", Schema::shared(PROBLEM))
}

/// The same for an error that goes away: `Retry-After` is set.
pub(super) fn temporary(description: &'static str) -> Response {
    problem(description).header("Retry-After", shared_header("RetryAfter"))
}

fn problems() -> Vec<(&'static str, Response)> {
    let challenge = Header::new("`Cookie`: signing in sets a cookie.", Schema::string());
    vec![
        (
            "SignInRequired",
            problem("The visitor has to sign in first, at `sign_in`.").header("WWW-Authenticate", challenge),
        ),
        ("Forbidden", problem("The visitor lacks the permission, or the request came from another site.")),
        ("NotFound", problem("It does not exist, or the visitor lacks the permission to view it.")),
        ("Conflict", problem("The state of the run does not allow it; `detail` has the reason.")),
        ("BodyTooSlow", problem("The body arrived too slowly.")),
        ("BodyTooLarge", problem("The body, or a file in it, is larger than the limit.")),
        ("UriTooLong", problem("The URL is longer than the limit.")),
        (
            "UnsupportedMediaType",
            problem("The media type, the charset or the `Content-Encoding` of the body is not supported."),
        ),
        ("MisdirectedRequest", problem("The host is not one of the hosts of this server.")),
        ("HeadersTooLarge", problem("The request has too many headers, or they are larger than the limit.")),
        ("AccessCheckFailed", problem("The authorization of the application failed.")),
        ("TransferEncoding", problem("The `Transfer-Encoding` is not supported: only `chunked` is.")),
        (
            "Unavailable",
            temporary(
                "A store that does not answer, an authorization that takes too long, or a limit on streams or \
                 downloads that are open at the same time.",
            ),
        ),
    ]
}

fn headers() -> Vec<(&'static str, Header)> {
    vec![
        (
            "RetryAfter",
            Header::new("The number of seconds after which the client may try again.", Schema::integer()),
        ),
        ("Location", Header::new("The path of the run.", Schema::string().with("format", "uri-reference"))),
        ("Disposition", Header::new("The file name of the download.", Schema::string())),
        ("ETag", Header::new("Identifies this version of the content.", Schema::string())),
    ]
}

fn parameters() -> Vec<(&'static str, Parameter)> {
    let event_id = "The `id` of the last event that the client received. The stream continues after it, with a snapshot \
                    first; no log line is lost or repeated.";
    vec![
        ("RunId", Parameter::path("id", "The id of the run.", Schema::uuid())),
        (
            "Format",
            Parameter::query(
                "format",
                "`message` for plain messages: events without a name, each with `message` and `progress` (0 to 100, or \
                 null), for an `EventSource` with only `onmessage`. The last one has the id `CLOSE`.",
                Schema::one_of(["message"]),
            ),
        ),
        ("LastEventId", Parameter::header("Last-Event-ID", event_id, Schema::string())),
        (
            "Last",
            Parameter::query(
                "last",
                "The same as `Last-Event-ID`, for clients that cannot set a header.",
                Schema::string(),
            ),
        ),
        (
            "IdempotencyKey",
            Parameter::header(
                "Idempotency-Key",
                "A key that the client chooses for this start. A start that repeats the key returns the first run instead \
                 of starting another one.",
                idempotency_key(),
            ),
        ),
        (
            "Share",
            Parameter::query(
                SHARE,
                "The token of a share link, which permits viewing this run.",
                Schema::string(),
            ),
        ),
        ("Language", Parameter::query(LANG, "The language of a page, such as `de`.", Schema::string())),
        (
            "IfNoneMatch",
            Parameter::header(
                "If-None-Match",
                "The `ETag` of the content that the client has.",
                Schema::string(),
            ),
        ),
        (
            "Search",
            Parameter::query("q", "The text to search for.", Schema::string().with("maxLength", 1_000)),
        ),
    ]
}

/// A key that a header can carry, too.
pub(super) fn idempotency_key() -> Schema {
    Schema::string().with("maxLength", MAX_KEY).with("pattern", "^[!-~](?:[ -~]*[!-~])?$")
}

fn schemas() -> Vec<(&'static str, Schema)> {
    let status = Schema::one_of(RunStatus::ALL.iter().map(|status| status.as_str()));
    let level = Schema::one_of(Level::ALL.iter().map(|level| level.as_str()));
    let text = Schema::string;
    let number = || Schema::integer().with("minimum", 0);
    let stage = || {
        Schema::object(&[
            ("name", text()),
            ("index", number().nullable().described("From 1, if the process gave it.")),
            ("of", number().nullable().described("The number of stages, if the process gave it.")),
        ])
    };
    let line = Schema::object(&[
        ("seq", number().described("The number of the line, from 1. A gap means omitted lines.")),
        ("at", Schema::time()),
        ("level", Schema::shared("Level")),
        ("text", text()),
    ])
    .or(&[(
        "styles",
        Schema::list(Schema::list(Schema::any()))
            .described("The parts in colour: start and length in code points, and the style, as `bold red`."),
    )]);
    let omitted = Schema::object(&[
        ("after", number().described("The number of the line before the omitted lines.")),
        ("lines", number().described("How many lines were omitted.")),
    ]);
    let of_run = || ("run", Schema::uuid());
    vec![
        ("Status", status.described("`succeeded`, `failed`, `cancelled` and `interrupted` are final.")),
        ("Level", level),
        (
            "Stage",
            stage()
                .and(&[("started_ms", number().described("`elapsed_ms` of the run when the stage began."))])
                .and(&bar()),
        ),
        (
            "PastStage",
            stage().and(&[("elapsed_ms", number().described("How long the run was in this stage."))]),
        ),
        ("FailedItem", Schema::object(&[("item", text()), ("reason", text())])),
        (
            "File",
            Schema::object(&[
                ("name", text()),
                ("size", number().described("In bytes.")),
                ("type", text()),
                ("viewable", viewable()),
            ])
            .or(&[("url", text().described("Only with the permission to download."))]),
        ),
        ("Run", run()),
        (
            "HistoryRun",
            run().and(&[
                ("process_title", text().nullable()),
                ("summary", text().described("The inputs in one line, as on the page.")),
            ]),
        ),
        ("Process", process()),
        ("LogLine", line.clone()),
        ("Omitted", omitted.clone()),
        ("ProgressEvent", progress().and(&[of_run()])),
        ("LogEvent", line.and(&[of_run()])),
        ("OmittedEvent", omitted.and(&[of_run()])),
        ("EndEvent", end().and(&[of_run()])),
        (
            "SnapshotEvent",
            run().or(&[(
                "log",
                Schema::object(&[
                    ("after", number().described("The lines before and including this number are not sent.")),
                    ("last", number().described("The number of the newest line.")),
                    ("lines", Schema::list(Schema::shared("LogLine"))),
                    ("omitted", Schema::list(Schema::shared("Omitted"))),
                ]),
            )]),
        ),
        ("RunEvent", Schema::object(&[of_run()]).described("The data of a `ping` and of a `gone` event.")),
        (PROBLEM, problem_schema()),
    ]
}

fn problem_schema() -> Schema {
    let error = Schema::object(&[("field", Schema::string()), ("message", Schema::string())]);
    Schema::object(&[
        ("status", Schema::integer()),
        ("title", Schema::string().described("The reason phrase of the status.")),
        ("detail", Schema::string().described("A sentence for people.")),
    ])
    .or(&[
        ("errors", Schema::list(error).with("maxItems", 100).described("The fields that were refused.")),
        ("more_errors", Schema::integer().described("How many errors are left out.")),
        ("question", Schema::string().described("The question that the start has to confirm.")),
        ("sign_in", Schema::string().described("The address where the visitor signs in.")),
    ])
    .described("An error (RFC 9457).")
}

/// What a `progress` event has of a run.
fn progress() -> Schema {
    let number = || Schema::integer().with("minimum", 0);
    Schema::object(&[
        ("status", Schema::shared("Status")),
        (
            "pausing",
            Schema::boolean().described("A pause was requested and the run has not reached a save yet."),
        ),
        ("stalled", Schema::boolean().described("The run executes, but has not reported for a long time.")),
        ("due_at", Schema::time().nullable().described("When the next attempt begins at the earliest.")),
        ("attempt", number().described("How many times the body was started.")),
        ("started_at", Schema::time().nullable()),
        ("elapsed_ms", number().described("How long the run has run, without the time it was paused.")),
        ("title", Schema::string()),
        (
            "percent",
            Schema::number()
                .nullable()
                .described("Of the run, 0 to 100, with all of its stages; null if unknown."),
        ),
        ("current", Schema::count().nullable().described("The current step of the bar.")),
        ("total", Schema::count().nullable()),
        ("text", Schema::string().described("The text under the progress bar.")),
        ("stage", Schema::shared("Stage").nullable()),
        (
            "stages",
            Schema::list(Schema::shared("PastStage"))
                .described("The finished stages, at most the newest 20."),
        ),
        ("counts", Schema::map(Schema::count()).described("The counts of outcomes, by name.")),
        ("warnings", number().described("How many lines of the log are warnings or errors.")),
        ("omitted_lines", number().described("How many lines the log has lost because it grew too long.")),
        (
            "first_total",
            Schema::count().nullable().described("The total that was reported first, if it has grown since."),
        ),
        ("inner", Schema::object(&bar()).nullable().described("The bar of an inner loop.")),
        (
            "estimate",
            estimate().nullable().described("Null if too little is known, and unless the run executes."),
        ),
    ])
    .or(&[(
        "stage_weights",
        Schema::list(number()).described("How long each stage took in earlier runs, in milliseconds."),
    )])
}

/// What an `end` event has of a run.
fn end() -> Schema {
    let number = || Schema::integer().with("minimum", 0);
    let file = Schema::object(&[("name", Schema::string()), ("size", number()), ("viewable", viewable())]);
    Schema::object(&[
        ("status", Schema::shared("Status")),
        ("elapsed_ms", number()),
        ("finished_at", Schema::time().nullable()),
        ("result", Schema::any()),
        ("error", Schema::string().nullable()),
        ("causes", causes()),
        ("resume", resume()),
        ("files", Schema::list(file)),
        ("failed_items", Schema::list(Schema::shared("FailedItem"))),
        ("omitted_lines", number()),
    ])
}

fn causes() -> Schema {
    Schema::list(Schema::string())
        .described("The errors that caused the failure, from the nearest to the root.")
}

fn resume() -> Schema {
    Schema::object(&[("percent", Schema::number().nullable().described("0 to 100; null if unknown."))])
        .nullable()
        .described("Where a retry continues; null if it starts over.")
}

fn estimate() -> Schema {
    let number = || Schema::integer().with("minimum", 0);
    Schema::object(&[
        ("rate", Schema::number().nullable().described("Steps of the bar per second; null if it has none.")),
        (
            "left_ms",
            number().nullable().described("The time left of the whole run at `at_ms`; null if unknown."),
        ),
        ("at_ms", number().described("The `elapsed_ms` of the run at which this was so.")),
        ("good_for_ms", number().described("For how long it holds without further progress.")),
    ])
}

/// The numbers of a bar.
fn bar() -> [(&'static str, Schema); 3] {
    [
        ("percent", Schema::number().nullable().described("0 to 100; null if unknown.")),
        ("current", Schema::count().nullable()),
        ("total", Schema::count().nullable()),
    ]
}

fn viewable() -> Schema {
    Schema::boolean().described("True if a browser can display the file: add `?inline` to its `url`.")
}

fn run() -> Schema {
    progress()
        .and(&[
            ("id", Schema::uuid()),
            (
                "process",
                Schema::string().described("The route of the process, such as `admin/backup-system`."),
            ),
            (
                "number",
                Schema::integer().with("minimum", 0).described("Counts the runs of the process, from 1."),
            ),
            ("priority", Schema::integer().described("Runs with a higher priority start first.")),
            ("retry_of", Schema::uuid().nullable().described("The ended run that this run is a retry of.")),
            ("created_at", Schema::time()),
            ("finished_at", Schema::time().nullable()),
            ("actor", Schema::string().nullable().described("Who started the run, if known.")),
            ("input", Schema::map(Schema::any()).described("The inputs, one entry for each field.")),
            ("result", Schema::any().described("What the process returned; null if nothing.")),
            ("error", Schema::string().nullable().described("Why the run failed, as text for people.")),
            ("causes", causes()),
            ("resume", resume()),
            ("files", Schema::list(Schema::shared("File"))),
            (
                "failed_items",
                Schema::list(Schema::shared("FailedItem"))
                    .described("The first 100; `counts.failed` counts all."),
            ),
            (
                "links",
                Schema::map(Schema::string())
                    .described("What the visitor is permitted to do, by name. Follow them."),
            ),
        ])
        .or(&[("node", Schema::string().described("Which of several nodes executes or executed it."))])
}

fn process() -> Schema {
    let number = || Schema::integer().with("minimum", 0);
    Schema::object(&[
        ("process", Schema::string().described("The route of the process.")),
        ("title", Schema::string()),
        ("description", Schema::string()),
        ("schedule", Schema::string().nullable().described("A cron expression, in UTC.")),
        ("next_run_at", Schema::time().nullable()),
        (
            "active_runs",
            Schema::object(&[("running", number()), ("paused", number()), ("queued", number())])
                .described("How many runs are active, among those that the visitor may view."),
        ),
        (
            "latest",
            Schema::shared("Run")
                .nullable()
                .described("A run that executes, otherwise a paused or queued one, otherwise the latest."),
        ),
        ("links", Schema::map(Schema::string())),
    ])
}
