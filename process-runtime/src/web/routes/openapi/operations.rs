//! The kinds of operations: what all that read, control or stream have in common.

use super::components::{problem, temporary};
use super::json_schema::Schema;
use super::model::{Header, Operation, RefOr, Response, shared_header, shared_parameter, shared_response};

/// An operation that the router guards, and that asks for no permission.
pub(super) fn guarded(operation: Operation) -> Operation {
    operation
        .response(414, shared_response("UriTooLong"))
        .response(421, shared_response("MisdirectedRequest"))
        .response(431, shared_response("HeadersTooLarge"))
        .response(501, shared_response("TransferEncoding"))
}

/// An operation that asks for permissions and reads the store.
pub(super) fn read(operation: Operation) -> Operation {
    guarded(operation)
        .response(401, shared_response("SignInRequired"))
        .response(404, shared_response("NotFound"))
        .response(500, shared_response("AccessCheckFailed"))
        .response(503, shared_response("Unavailable"))
}

/// The same with a body, and never from another site.
pub(super) fn write(operation: Operation) -> Operation {
    read(operation)
        .response(403, shared_response("Forbidden"))
        .response(415, shared_response("UnsupportedMediaType"))
}

/// A stream of events.
pub(super) fn watch(operation: Operation) -> Operation {
    read(operation)
        .parameter(shared_parameter("Format"))
        .parameter(shared_parameter("LastEventId"))
        .response(200, stream())
        .response(400, problem("The value of `format` is unknown."))
        .response(403, shared_response("Forbidden"))
        .response(429, temporary("The actor has too many streams open."))
}

/// The same of one run, or of the run that is active.
pub(super) fn watch_one(operation: Operation, nothing: &'static str) -> Operation {
    watch(operation).parameter(shared_parameter("Last")).response(204, Response::new(nothing))
}

pub(super) fn stream() -> Response {
    let description = "Server-sent events, each with one line of JSON as its data: `snapshot` (SnapshotEvent), `progress` \
                       (ProgressEvent), `log` (LogEvent), `omitted` (OmittedEvent), `end` (EndEvent), `gone` and `ping` \
                       (RunEvent). The stream begins with `retry` and a snapshot, and closes after the end.";
    Response::new(description).content("text/event-stream", Schema::string())
}

/// A download under a file name.
pub(super) fn download(description: &'static str) -> Response {
    Response::new(description).header("Content-Disposition", shared_header("Disposition"))
}

/// Content of any media type. Client generators know the first one, and not the range.
pub(super) fn bytes(response: Response) -> Response {
    let bytes = || Schema::string().with("format", "binary");
    response.content("application/octet-stream", bytes()).content("*/*", bytes())
}

/// JSON, and a page for clients that prefer `text/html`.
pub(super) fn json_or_page(description: &'static str, schema: Schema) -> Response {
    json(description, schema).content("text/html", Schema::string())
}

pub(super) fn json(description: &'static str, schema: Schema) -> Response {
    Response::new(description).content("application/json", schema)
}

/// Where a browser goes on.
pub(super) fn redirect(description: &'static str) -> Response {
    Response::new(description).header("Location", shared_header("Location"))
}

/// The client has the content already.
pub(super) fn not_modified() -> Response {
    Response::new("The client has this version.").header("ETag", shared_header("ETag"))
}

pub(super) fn header(description: &'static str) -> RefOr<Header> {
    Header::new(description, Schema::string()).into()
}
