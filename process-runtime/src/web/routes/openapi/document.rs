//! The OpenAPI 3.1 document, with the schema of every process.

use serde_json::{Map, Value, json};

use crate::process::Process;
use crate::run::{Level, RunStatus};
use crate::schema::{self, Files};
use crate::web::request::path;

/// The document for these processes, and whether each may be started, mounted at `base`.
pub(in crate::web) fn document(processes: &[(&'static Process, bool)], base: &str) -> Value {
    let mut paths = Map::new();
    let mut schemas = shared_schemas();
    for (process, starts) in processes {
        let route = path::route(&process.route());
        let mut operations = Map::new();
        if *starts {
            operations.insert("post".to_owned(), start(process));
        }
        operations.insert("get".to_owned(), watch(process));
        paths.insert(format!("/{route}/start"), operations.into());
        paths.insert(format!("/{route}/schema.json"), json!({ "get": schema_itself(process) }));
        let mut input = schema::of_process(process);
        if let Some(input) = input.as_object_mut() {
            input.shift_remove("$schema");
        }
        schemas.insert(name(process), input);
    }
    paths.extend(run_paths());
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Processes",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Starts long-running processes, and follows their runs.",
        },
        "servers": [{ "url": if base.is_empty() { "/" } else { base } }],
        "paths": paths,
        "components": { "schemas": schemas },
    })
}

/// A name for the schema of a process's input: letters, digits, `-` and `.` only.
fn name(process: &Process) -> String {
    let route = process.route().replace('/', ".");
    let plain =
        |letter: char| if letter.is_ascii_alphanumeric() || "-.".contains(letter) { letter } else { '_' };
    format!("{}.input", route.chars().map(plain).collect::<String>())
}

fn operation(id: String, summary: String, responses: Value) -> Value {
    json!({ "operationId": id, "summary": summary, "responses": responses })
}

fn start(process: &Process) -> Value {
    let input = format!("#/components/schemas/{}", name(process));
    let fields = process.fields();
    let has_files = fields.iter().any(|field| field.shape.has_upload());
    let mut content = json!({ "application/json": { "schema": { "$ref": input } } });
    let form = Value::Object(schema::of_fields(&fields, Files::AsParts));
    if has_files {
        content["multipart/form-data"] = json!({ "schema": form });
    } else {
        content["application/x-www-form-urlencoded"] = json!({ "schema": form });
    }
    let required = fields.iter().any(|field| field.default.is_none());
    let mut responses = json!({
        "201": {
            "description": "The run is stored. `Location` is its address.",
            "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Run" } } },
        },
        "401": problem("Somebody has to sign in first; `sign_in` is where."),
        "403": problem("Another site sent it, or one may not do that."),
        "422": problem("Some fields were not accepted. The first 100 mistakes are named, and the others counted."),
        "413": problem("The body, or a file in it, is larger than it may be."),
        "415": problem("The body is of another type, in another charset than UTF-8, or encoded."),
        "408": problem("The body came too slowly."),
        "429": problem(
            "So many runs wait already, or starts come so often, that nothing was started; `Retry-After` says when to \
             try again."
        ),
    });
    let mut parameters = vec![
        format_parameter(),
        json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "The same key gives the same run.",
            "schema": { "type": "string", "minLength": 1, "maxLength": 200 },
        }),
    ];
    if let Some(question) = process.confirm {
        responses["428"] = problem(&format!("Nothing was started: it asks first. {question}"));
        parameters.push(json!({
            "name": "confirmed", "in": "query", "required": false, "description": question,
            "schema": { "const": "yes" },
        }));
    }
    let id = format!("start.{}", name(process));
    let mut operation = operation(id, process.title.to_owned(), responses);
    if !process.description.is_empty() {
        operation["description"] = json!(process.description);
    }
    operation["parameters"] = json!(parameters);
    operation["requestBody"] = json!({ "required": required, "content": content });
    if let Some(group) = process.group {
        operation["tags"] = json!([group]);
    }
    operation
}

fn watch(process: &Process) -> Value {
    let responses = json!({
        "200": stream(),
        "204": { "description": "No run is active." },
        "400": problem("There is no such format."),
    });
    let id = format!("watch.{}", name(process));
    let mut operation = operation(id, "The stream of the active run".into(), responses);
    operation["parameters"] = json!([format_parameter()]);
    operation
}

fn schema_itself(process: &Process) -> Value {
    let content = json!({ "application/schema+json": { "schema": { "type": "object" } } });
    let responses = json!({ "200": { "description": "A JSON Schema.", "content": content } });
    operation(format!("schema.{}", name(process)), "The schema of the inputs".into(), responses)
}

/// How a stream is told.
fn format_parameter() -> Value {
    json!({
        "name": "format", "in": "query", "required": false,
        "description": "`message`: events without a name, each with `message` and `progress` (0 to 100, or null), \
                        for an `EventSource` with nothing but `onmessage`. The last one has the id `CLOSE`.",
        "schema": { "const": "message" },
    })
}

fn stream() -> Value {
    json!({
        "description": "Server-sent events: `snapshot`, `progress`, `log`, `end` and `ping`, each with one \
                        line of JSON. `Last-Event-ID` continues a stream that was cut off.",
        "content": { "text/event-stream": { "schema": { "type": "string" } } },
    })
}

fn problem(description: &str) -> Value {
    let content =
        json!({ "application/problem+json": { "schema": { "$ref": "#/components/schemas/Problem" } } });
    json!({ "description": description, "content": content })
}

/// The routes of runs, which are the same for all processes.
fn run_paths() -> Map<String, Value> {
    let run = json!({ "$ref": "#/components/schemas/Run" });
    let id = json!([{
        "name": "id", "in": "path", "required": true, "schema": { "type": "string", "format": "uuid" },
    }]);
    let missing = problem("There is no such run.");
    let one = |description: &str, content: Value| json!({ "200": { "description": description, "content": content }, "404": missing });
    let json_of = |schema: &Value| json!({ "application/json": { "schema": schema } });
    let get = |name: &str, summary: &str, responses: Value| json!({ "parameters": id, "get": operation(name.to_owned(), summary.to_owned(), responses) });
    let filter = |name: &str, schema: Value| json!({ "name": name, "in": "query", "required": false, "schema": schema });
    let mut history = operation(
        "runs".into(),
        "The runs, newest first".into(),
        json!({ "200": { "description": "A page of runs.", "content": json_of(&json!({
            "type": "object",
            "properties": {
                "runs": { "type": "array", "items": run },
                "has_more": { "type": "boolean" },
                "next": { "type": ["string", "null"], "description": "The address of the page with older runs." },
                "searched_until": { "type": ["string", "null"], "format": "date-time" },
                "counts": { "type": ["object", "null"], "description": "How many runs of each status match." },
            },
            "required": ["runs", "has_more", "next", "counts"],
        })) } }),
    );
    let text = json!({ "type": "string" });
    history["parameters"] = json!([
        filter("process", text.clone()),
        filter("status", json!({ "type": "array", "items": status() })),
        filter("actor", text.clone()),
        filter("from", text.clone()),
        filter("until", text.clone()),
        filter("q", text.clone()),
        filter("failed_items", json!({ "type": "boolean" })),
        filter("before", text.clone()),
    ]);
    history["responses"]["400"] = problem("A parameter has a value that it cannot have.");
    let ask = |name: &str, summary: &str, status: &str, query: Value| {
        let responses = json!({
            status: { "description": "The run, as it is then.", "content": json_of(&run) },
            "401": problem("Somebody has to sign in first; `sign_in` is where."),
            "403": problem("Another site sent it, or one may not do that."),
            "404": missing,
            "409": problem("It makes no sense for the run as it is; the detail says why."),
        });
        let mut operation = operation(name.to_owned(), summary.to_owned(), responses);
        operation["parameters"] = query;
        json!({ "parameters": id, "post": operation })
    };
    let only = |value: &str| json!({ "type": "string", "enum": [value] });
    let cancel = ask(
        "cancel",
        "Asks a run to stop, or ends it whether it does or not",
        "200",
        json!([filter("force", only("yes"))]),
    );
    let retry = ask(
        "retry",
        "Starts a run in the place of an ended one, from its cursor or from the start",
        "201",
        json!([filter("from", only("start"))]),
    );
    let file =
        json!([id[0], { "name": "name", "in": "path", "required": true, "schema": { "type": "string" } }]);
    let place =
        json!([id[0], { "name": "place", "in": "path", "required": true, "schema": { "type": "string" } }]);
    let download = |kind: &str| json!({ kind: {} });
    let mut log =
        get("log", "The log, or the lines of it that match", one("The lines.", download("text/plain")));
    log["get"]["parameters"] = json!([
        filter("q", text.clone()),
        filter("level", json!({ "type": "string", "enum": Level::ALL })),
        filter("after", json!({ "type": "integer", "minimum": 0 })),
    ]);
    let ids = json!({ "type": "array", "items": { "type": "string", "format": "uuid" } });
    let mut many = operation(
        "events.many".into(),
        "One stream of many runs".into(),
        json!({
            "200": stream(),
            "204": { "description": "All of them have ended, and the client has seen that." },
            "400": problem("No run was named, or more than 100."),
            "404": problem("None of these runs is there."),
        }),
    );
    // `run` brings all of a run, `bar` all but its log; `last` is where the client was cut off, once for each.
    many["parameters"] = json!([
        filter("run", ids.clone()),
        filter("progress", ids),
        filter("last", text.clone()),
        format_parameter()
    ]);
    Map::from_iter([
        ("/events".to_owned(), json!({ "get": many })),
        ("/runs".to_owned(), json!({ "get": history })),
        ("/runs/{id}".to_owned(), get("run", "One run", one("The run.", json_of(&run)))),
        ("/runs/{id}/events".to_owned(), {
            let mut events = get("events", "The stream of a run", json!({ "200": stream(), "404": missing }));
            events["get"]["parameters"] = json!([format_parameter()]);
            events
        }),
        ("/runs/{id}/cancel".to_owned(), cancel),
        ("/runs/{id}/pause".to_owned(), ask("pause", "Stops a run where it can go on", "200", json!([]))),
        ("/runs/{id}/resume".to_owned(), ask("resume", "Lets a paused run go on", "200", json!([]))),
        ("/runs/{id}/retry".to_owned(), retry),
        ("/runs/{id}/log".to_owned(), log),
        (
            "/runs/{id}/result".to_owned(),
            get("result", "The result", one("Any JSON.", download("application/json"))),
        ),
        (
            "/runs/{id}/inputs/{place}".to_owned(),
            json!({
                "parameters": place,
                "get": operation("input".into(), "A file that was uploaded for a run".into(), one("The file.", download("application/octet-stream"))),
            }),
        ),
        (
            "/runs/{id}/files/{name}".to_owned(),
            json!({
                "parameters": file,
                "get": operation("file".into(), "A file of a run".into(), one("The file.", download("application/octet-stream"))),
            }),
        ),
    ])
}

fn status() -> Value {
    json!({ "type": "string", "enum": RunStatus::ALL.map(RunStatus::as_str) })
}

fn shared_schemas() -> Map<String, Value> {
    let text = json!({ "type": "string" });
    let (moment, number) =
        (json!({ "type": ["string", "null"], "format": "date-time" }), json!({ "type": ["number", "null"] }));
    let error = json!({
        "type": "object", "properties": { "field": text, "message": text }, "required": ["field", "message"],
    });
    Map::from_iter([
        (
            "Run".to_owned(),
            json!({
                "type": "object",
                "properties": {
                    "id": { "type": "string", "format": "uuid" }, "process": text,
                    "number": { "type": "integer", "minimum": 0 }, "title": text,
                    "status": status(), "pausing": { "type": "boolean" }, "stalled": { "type": "boolean" },
                    "due_at": moment, "priority": { "type": "integer" },
                    "retry_of": { "type": ["string", "null"], "format": "uuid" }, "percent": number, "current": number, "total": number, "text": text,
                    "stage": { "type": ["object", "null"] }, "stages": { "type": "array" },
                    "counts": { "type": "object" }, "warnings": { "type": "integer" }, "omitted_lines": { "type": "integer" },
                    "failed_items": { "type": "array" }, "created_at": moment, "started_at": moment,
                    "finished_at": moment, "elapsed_ms": { "type": "integer" }, "attempt": { "type": "integer" },
                    "actor": { "type": ["string", "null"] }, "input": { "type": "object" }, "result": {},
                    "error": { "type": ["string", "null"] }, "files": { "type": "array" },
                    "links": { "type": "object" },
                },
                "required": ["id", "process", "title", "status", "links"],
            }),
        ),
        (
            "Problem".to_owned(),
            json!({
                "type": "object",
                "properties": {
                    "status": { "type": "integer" }, "title": text, "detail": text, "question": text,
                    "errors": { "type": "array", "items": error, "maxItems": 100 },
                    "more_errors": { "type": "integer", "description": "How many errors are left out." },
                },
                "required": ["status", "title", "detail"],
            }),
        ),
    ])
}
