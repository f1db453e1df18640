//! The paths of one process: its page, its start, its stream and its schema.

use crate::process::Process;
use crate::schema::{self, Files};
use crate::web::request::form::{CONFIRMED, KEY};
use crate::web::request::path;

use super::components::{idempotency_key, problem, temporary};
use super::json_schema::Schema;
use super::model::{
    Components, Operation, Parameter, PathItem, RequestBody, Response, shared_header, shared_parameter,
    shared_response,
};
use super::operations::{json, read, redirect, stream, watch_one, write};

const TAG: &str = "processes";

/// The paths of a process. The schemas of its inputs go to the shared ones.
pub(super) fn paths(process: &Process, starts: bool, components: &mut Components) -> [(String, PathItem); 3] {
    let (route, name) = (path::route(&process.route()), name(&process.route()));
    let tag = process.group.unwrap_or(TAG);
    let mut input = schema::of_process(process).as_object().cloned().unwrap_or_default();
    input.shift_remove("$schema");
    // Generators name a type by its title, and several processes may have the same one.
    input.shift_remove("title");
    components.schemas.push((format!("{name}.input"), input.into()));
    let start = starts.then(|| {
        components.schemas.push((format!("{name}.form"), form(process)));
        start(process, tag, &name)
    });
    let active = Operation::new(tag, format!("watch.{name}"), "The stream of the active run");
    let active = watch_one(active, "No run is active, or the client has received the end of the run.");
    let operation = Operation::new(tag, format!("schema.{name}"), "The JSON Schema of the inputs");
    let schema =
        Response::new("A JSON Schema.").content("application/schema+json", Schema::map(Schema::any()));
    [
        (format!("/{route}/show_progress"), PathItem::get(page(tag, &name))),
        (format!("/{route}/start"), PathItem::get(active).and_post(start)),
        (format!("/{route}/schema.json"), PathItem::get(read(operation).response(200, schema))),
    ]
}

/// The route as a part of names: letters, digits, `-`, `.` and `_` only, and different for different routes.
fn name(route: &str) -> String {
    let mut name = String::new();
    for letter in route.chars() {
        match letter {
            '/' => name.push('.'),
            letter if letter.is_ascii_alphanumeric() || letter == '-' => name.push(letter),
            letter => name += &format!("_{:x}_", u32::from(letter)),
        }
    }
    name
}

/// What a form sends: the inputs, and what JSON has in the header and in the query.
fn form(process: &Process) -> Schema {
    let mut schema = Schema::from(schema::of_fields(&process.fields(), Files::AsParts));
    schema = schema.or(&[(KEY, idempotency_key().described("The same as the header `Idempotency-Key`."))]);
    match process.confirm {
        Some(question) => schema.or(&[(CONFIRMED, Schema::one_of(["yes"]).described(question))]),
        None => schema,
    }
}

fn page(tag: &'static str, name: &str) -> Operation {
    let values =
        "The query fills in the form: one parameter for each field. Secrets and files cannot be filled in.";
    let page = Response::new("The page.").content("text/html", Schema::string());
    read(Operation::new(
        tag,
        format!("page.{name}"),
        "The page of the process, with its form and its active run",
    ))
    .parameter(Parameter::query("values", values, Schema::map(Schema::any())))
    .parameter(shared_parameter("Language"))
    .response(200, page)
    .response(400, problem("The query fills in too many inputs."))
}

const VALIDATE_ONLY: &str = "Starts nothing, and answers 204, 422 or 428 as the start would, as far as that shows \
                             without the content of files: a file may be its name, its size \
                             and name (`1048576/customers.csv`), or any other value.";

fn start(process: &Process, tag: &'static str, name: &str) -> Operation {
    let fields = process.fields();
    let required = fields.iter().any(schema::is_required);
    let [input, form] = ["input", "form"].map(|kind| Schema::shared(&format!("{name}.{kind}")));
    let body = RequestBody::new(
        "The inputs. In a form, the field `street` of the group `address` is named `address.street`, and a list repeats \
         the name.",
        required,
    );
    let body = body.content("application/json", input);
    let body = match fields.iter().any(|field| field.shape.has_upload()) {
        true => body.content("multipart/form-data", form),
        false => body.content("application/x-www-form-urlencoded", form),
    };
    let run = json("The run is stored.", Schema::shared("Run")).header("Location", shared_header("Location"));
    let stream = stream().header("Location", shared_header("Location"));
    let operation = write(Operation::new(tag, format!("start.{name}"), process.title))
        .described(process.description)
        .parameter(shared_parameter("IdempotencyKey"))
        .parameter(shared_parameter("Format"))
        .parameter(Parameter::query("validate_only", VALIDATE_ONLY, Schema::one_of(["yes"])))
        .body(body)
        .response(200, stream)
        .response(201, run)
        .response(204, Response::new("With `validate_only`: a start with these inputs would be accepted."))
        .response(303, redirect("A browser is redirected to the page of the run."))
        .response(400, problem("The body is malformed or incomplete, or the idempotency key is not valid."))
        .response(408, shared_response("BodyTooSlow"))
        .response(413, shared_response("BodyTooLarge"))
        .response(
            422,
            problem(
                "Some fields were refused: the first 100 are in `errors`, `more_errors` counts the rest.",
            ),
        )
        .response(
            429,
            temporary(
                "The rate limit for starts is reached, or too many runs are queued. Nothing was started.",
            ),
        );
    let Some(question) = process.confirm else { return operation };
    operation.parameter(Parameter::query("confirmed", question, Schema::one_of(["yes"]))).response(
        428,
        problem("The process asks for confirmation, and nothing was started. `question` is what to confirm."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_have_unique_names() {
        assert_eq!(name("admin/backup-system"), "admin.backup-system");
        assert_eq!(name("a.b"), "a_2e_b");
        assert_ne!(name("ü/a"), name("ö/a"));
    }
}
