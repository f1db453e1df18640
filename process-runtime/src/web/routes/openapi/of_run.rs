//! The paths of runs: history, one run, its stream, control, downloads.

use super::components::{problem, temporary};
use super::json_schema::Schema;
use super::model::{
    Header, Operation, Parameter, PathItem, RequestBody, Response, shared_header, shared_parameter,
    shared_response,
};
use super::operations::{
    bytes, download, header, json, json_or_page, not_modified, read, redirect, stream, watch, watch_one,
    write,
};

use crate::run::RunStatus;

const TAG: &str = "runs";

pub(super) fn paths() -> Vec<(String, PathItem)> {
    let of_run = |name: &str, path: PathItem| {
        (format!("/runs/{{id}}{name}"), path.parameter(shared_parameter("RunId")))
    };
    vec![
        ("/runs".to_owned(), PathItem::get(history())),
        ("/events".to_owned(), PathItem::get(events_of_many())),
        of_run("", PathItem::get(show())),
        of_run("/events", PathItem::get(events())),
        of_run("/cancel", PathItem::post(cancel())),
        of_run("/pause", PathItem::post(control("pause", "Pauses the run at its next save"))),
        of_run("/resume", PathItem::post(control("resume", "Resumes a paused run"))),
        of_run("/retry", PathItem::post(retry())),
        of_run("/share", PathItem::post(share())),
        of_run("/compare", PathItem::get(compare())),
        of_run("/log", PathItem::get(log())),
        of_run("/result", PathItem::get(result())),
        of_run("/files/{name}", PathItem::get(file())),
        of_run("/inputs/{field_path}", PathItem::get(input())),
    ]
}

fn operation(id: &'static str, summary: &'static str) -> Operation {
    Operation::new(TAG, id, summary)
}

fn history() -> Operation {
    let runs = Schema::object(&[
        ("runs", Schema::list(Schema::shared("HistoryRun"))),
        ("has_more", Schema::boolean().described("Older runs follow.")),
        ("next", Schema::string().nullable().described("The address of the page with older runs.")),
        (
            "searched_until",
            Schema::time()
                .nullable()
                .described("Set if the search stopped at a run of this time: `next` continues it."),
        ),
        (
            "counts",
            counts().nullable().described("How many runs match, whatever their status; null for an ID."),
        ),
    ]);
    let statuses = Schema::list(Schema::shared("Status"));
    let text = || Schema::string().with("maxLength", 1_000);
    let time = "A day in UTC such as `2026-11-21`, or a time stamp.";
    read(operation("runs", "The history of runs, newest first, 50 on a page"))
        .parameter(Parameter::query("process", "The route of a process.", text()))
        .parameter(Parameter::query("status", "Any of these statuses.", statuses).comma_separated())
        .parameter(Parameter::query("actor", "Who started the run.", text()))
        .parameter(Parameter::query(
            "from",
            format!("Runs created at this time or later. {time}"),
            day_or_time(),
        ))
        .parameter(Parameter::query(
            "until",
            format!("Runs created before the end of this time. {time}"),
            day_or_time(),
        ))
        .parameter(Parameter::query(
            "q",
            "A text in inputs or errors, `#127` for the number of a run, or the ID of a run.",
            text(),
        ))
        .parameter(Parameter::query("failed_items", "`true`: runs with failed items.", Schema::boolean()))
        .parameter(Parameter::query("before", "A position, as in `next`.", Schema::string()))
        .parameter(shared_parameter("Language"))
        .response(200, json_or_page("The runs that match, as far as the visitor may view them.", runs))
        .response(400, problem("A parameter has an invalid value."))
}

fn day_or_time() -> Schema {
    let day = Schema::string().with("format", "date");
    Schema::any().with("anyOf", serde_json::json!([day, Schema::time()]))
}

/// How many runs have each status.
fn counts() -> Schema {
    let number = || Schema::integer().with("minimum", 0);
    let statuses = RunStatus::ALL.map(|status| (status.as_str(), number()));
    let complete = Schema::boolean().described("False if counting stopped early: there may be more.");
    Schema::object(&statuses).and(&[("is_complete", complete)])
}

fn show() -> Operation {
    read(operation("run", "One run"))
        .parameter(shared_parameter("Share"))
        .parameter(shared_parameter("Language"))
        .response(200, json_or_page("The run.", Schema::shared("Run")))
        .response(303, redirect("A browser that follows a share link keeps its token as a cookie."))
}

fn events() -> Operation {
    watch_one(operation("events", "The stream of a run"), "The client has received the end of the run.")
        .response(200, stream_or_list())
        .parameter(shared_parameter("Share"))
}

/// A stream, and for clients that prefer JSON the events that are pending.
fn stream_or_list() -> Response {
    let event = [("event", Schema::string()), ("id", Schema::string()), ("data", Schema::any())];
    stream().content("application/json", Schema::list(Schema::object(&event)))
}

fn events_of_many() -> Operation {
    let ids = || Schema::list(Schema::uuid()).with("maxItems", 100);
    let last = Schema::list(Schema::string());
    watch(operation("events.many", "One stream of up to 100 runs"))
        .response(200, stream_or_list())
        .parameter(Parameter::query("run", "Runs, each with its log.", ids()))
        .parameter(Parameter::query("progress", "Runs, each without its log.", ids()))
        .parameter(Parameter::query(
            "last",
            "The `id` of the last event that the client received, once for each run: `Last-Event-ID` names one run only.",
            last,
        ))
        .response(204, Response::new("All of the runs have ended, and the client has received that."))
        .response(400, problem("No run is named, more than 100 are, or a parameter has an invalid value."))
}

/// An operation that controls a run.
fn control(id: &'static str, summary: &'static str) -> Operation {
    write(operation(id, summary))
        .response(200, json("The run in its new state.", Schema::shared("Run")))
        .response(303, redirect("A browser is redirected to the page of the run."))
        .response(409, shared_response("Conflict"))
}

fn cancel() -> Operation {
    let force = "`yes` ends the run even if its body does not stop; any other value has no meaning.";
    control("cancel", "Requests that the run stops").parameter(Parameter::query(
        "force",
        force,
        Schema::string(),
    ))
}

fn retry() -> Operation {
    let from = "`start` ignores the cursor of the ended run: the new run begins from scratch.";
    let run = json("The new run is stored.", Schema::shared("Run"));
    write(operation("retry", "Starts a new run in place of an ended one, from its cursor"))
        .described("The new run has the inputs of the ended one. Runs with a secret cannot be retried.")
        .parameter(Parameter::query("from", from, Schema::string()))
        .response(201, run.header("Location", shared_header("Location")))
        .response(303, redirect("A browser is redirected to the page of the new run."))
        .response(409, shared_response("Conflict"))
        .response(422, problem("The stored inputs do not fit the fields of the process any more."))
        .response(429, temporary("Too many runs are queued. Nothing was started."))
}

fn share() -> Operation {
    let valid_for = || {
        Schema::string()
            .with("pattern", "^[1-9][0-9]{0,2}[mhdw]$")
            .with("default", "7d")
            .described("How long the link is valid: a number and `m`, `h`, `d` or `w`.")
    };
    let form = Schema::of_properties(&[("for", valid_for())]);
    let body = RequestBody::new("The validity of the link.", false);
    let link = Schema::object(&[
        ("url", Schema::string().with("format", "uri").described("The run, with the token of the link.")),
        ("expires_at", Schema::time()),
    ]);
    write(operation("share", "Creates a share link: everybody who has it may view this run"))
        .parameter(Parameter::query("for", "The same as in the body.", valid_for()))
        .body(body.content("application/x-www-form-urlencoded", form))
        .response(
            200,
            Response::new("For browsers: the page of the run, with the link.")
                .content("text/html", Schema::string()),
        )
        .response(201, json("The link.", link))
        .response(400, problem("The body is incomplete."))
        .response(408, shared_response("BodyTooSlow"))
        .response(409, problem("Everybody may view the run without a link."))
        .response(413, shared_response("BodyTooLarge"))
        .response(422, problem("`for` is not a valid duration."))
}

fn compare() -> Operation {
    let both = Schema::object(&[("run", Schema::shared("Run")), ("other", Schema::shared("Run").nullable())]);
    let with = "The other run. Without it, the run is compared with the previous ended run of its process.";
    read(operation("compare", "The run beside another run"))
        .parameter(Parameter::query("with", with, Schema::uuid()))
        .parameter(shared_parameter("Share"))
        .parameter(shared_parameter("Language"))
        .response(200, json_or_page("The runs. `other` is null if there is no previous run.", both))
}

fn log() -> Operation {
    let lines = download("The lines.").content("text/plain", Schema::string());
    read(operation("log", "The log, or the lines of it that match"))
        .parameter(shared_parameter("Search"))
        .parameter(Parameter::query("level", "Lines of this level and above.", Schema::shared("Level")))
        .parameter(Parameter::query(
            "after",
            "Lines after this line number.",
            Schema::integer().with("minimum", 0).with("maximum", u64::MAX),
        ))
        .parameter(Parameter::query(
            "download",
            "Any value: a browser gets a download instead of a page.",
            Schema::string(),
        ))
        .parameter(shared_parameter("Share"))
        .parameter(shared_parameter("Language"))
        .response(200, lines.content("text/html", Schema::string()))
        .response(400, problem("A parameter has an invalid value."))
        .response(403, shared_response("Forbidden"))
}

fn result() -> Operation {
    let content = |description| download(description).content("application/json", Schema::any());
    let whole = content("Any JSON.");
    in_ranges(read(operation("result", "What the process returned")), whole, content("The requested range."))
}

fn file() -> Operation {
    let name = Parameter::path("name", "The name of the file.", Schema::string());
    of_file(read(operation("file", "A file that the run offers")).parameter(name))
}

fn input() -> Operation {
    let path = "The field that has the file, such as `file` or `lines.0.file`.";
    let path = Parameter::path("field_path", path, Schema::string());
    of_file(read(operation("input", "A file that was uploaded for the run")).parameter(path))
}

/// The download of a stored file.
fn of_file(operation: Operation) -> Operation {
    let inline = "Any value: a file that is `viewable` is displayed in a sandbox instead of downloaded.";
    let operation = operation.parameter(Parameter::query("inline", inline, Schema::string()));
    in_ranges(operation, bytes(download("The file.")), bytes(download("The requested range of the file.")))
}

/// A download that supports ranges and conditional requests.
fn in_ranges(operation: Operation, whole: Response, part: Response) -> Operation {
    let content = |response: Response| {
        response
            .header("Accept-Ranges", header("`bytes`: the client may ask for ranges."))
            .header("ETag", shared_header("ETag"))
    };
    let length = Header::new("The number of bytes.", Schema::integer());
    let range = "The bytes to send, such as `bytes=1000-1999`, to resume a download.";
    let if_range = "The `ETag` that the client has: the range is sent only if it is still the same file, else all of it.";
    operation
        .parameter(Parameter::header("Range", range, Schema::string()))
        .parameter(Parameter::header("If-Range", if_range, Schema::string()))
        .parameter(shared_parameter("IfNoneMatch"))
        .response(200, content(whole).header("Content-Length", length))
        .response(
            206,
            content(part).header("Content-Range", header("Which bytes these are, and of how many.")),
        )
        .response(304, not_modified())
        .response(403, shared_response("Forbidden"))
        .response(412, problem("The file is not the one that the client requires."))
        .response(
            416,
            problem("The range lies outside of the file.")
                .header("Content-Range", header("The size: `bytes */1234`.")),
        )
}
