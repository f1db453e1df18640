//! The `#[process]` attribute of `process-runtime`.
//!
//! Use it through `process_runtime`, whose `prelude` re-exports it: the generated code refers to that crate.
//! [`process`](macro@process) has the complete documentation.
//!
//! # Module layout
//!
//! A module imports only from the modules below it: `expansion`, `derive`, `expand` and `fallback`, `controller`,
//! `inject` and `input`, `model`, `args`, `naming`, `options` and `signature`, `policy` and `schedule`, `helpers`,
//! `item` and `keys`, and at the bottom `docs`, `errors` and `places`. This file holds the entry points that rustc
//! calls and their user documentation; it delegates all work to `expansion`. `snapshots/` shows the generated code.

use proc_macro::TokenStream;

// Top to bottom: a module imports only from groups below its own.
mod expansion;

mod derive;
mod expand;
mod fallback;

mod controller;

mod inject;
mod input;

mod model;

mod args;
mod naming;
mod options;
mod question;
mod signature;

mod policy;
mod schedule;

mod helpers;
mod item;
mod keys;

mod docs;
mod errors;
mod places;

/// Turns an async function into a process: a registered unit of work with a form, a page and a live stream.
///
/// ```ignore
/// use process_runtime::prelude::*;
///
/// /// Recalculates the price of every product in the catalog.
/// #[process(title = "Recalculate catalog prices", group = "shop")]
/// async fn recalculate_prices(
///     catalog: State<Catalog>,
///     #[field(help = "in percent", default = 2.5)] percent: f64,
/// ) -> Result<Summary, Error> {
///     let products = catalog.products().await?;
///     for (index, product) in products.iter().enumerate() {
///         catalog.reprice(product, percent).await?;
///         set_progress_of(index + 1, products.len());
///     }
///     Ok(Summary { total: products.len() })
/// }
/// ```
///
/// # Keys
///
/// | key | meaning |
/// |---|---|
/// | `title = "…"` | The heading on the page. This is the only required key. |
/// | `name = RecalculatePrices` | The name of the controller type. Default: the function's name in UpperCamelCase. |
/// | `route = "…"` | The last segment of the route. Default: the type's name in kebab-case. |
/// | `group = "…"` | The group that lists the process. It is also the first segment of the route. |
/// | `confirm = "…"` | A question that the user must confirm before a run starts, once the inputs are valid. `{count}` is the value of the field `count`. |
/// | `validate = path` | A function that checks all inputs together: `fn(&RecalculatePricesInput) -> Result<(), E>`, where `E` converts into `FieldErrors`. |
/// | `concurrency = 3` | How many runs of the process execute at the same time, 1 to 1000. Default: 1. Further runs stay queued. |
/// | `concurrency_key = customer` | A form field. Runs with different values of this field do not wait for each other; `concurrency` applies to each value separately. |
/// | `exclusive` | While a run of the process is active, a start opens that run instead of starting another one. |
/// | `priority = 10` | The priority of the runs in the queue, -1000 to 1000. Default: 0. Higher priorities start first; runs with equal priority start oldest first. |
/// | `timeout = "10m"` | The maximum duration of one attempt. Default: no timeout. |
/// | `retries = 3` | How many times the runtime retries a run after the function returned an error, up to 100. Default: 0. |
/// | `backoff = "10s"` | Requires `retries`: the delay before the first retry. The delay doubles with each further retry. Default: 10 seconds. |
/// | `schedule = "0 3 * * *"` | Starts runs on a schedule, with the default of every field: minute, hour, day of the month, month, day of the week, in UTC. |
/// | `crate = path` | The path of `process_runtime`, if the dependency is renamed or re-exported. |
///
/// The doc comment of the function is the description on the page. Write a duration as a string such as `"90s"`,
/// `"10m"`, `"1h 30m"` or `"2 days"`.
///
/// # Generated code
///
/// - The function itself. It stays a plain function: you can call it, and it keeps its attributes, visibility and
///   docs. In its body, these helpers are in scope without an import: `set_title` (also named `process_start`),
///   `set_progress`, `set_progress_of`, `set_progress_text`, `log`, `warn`, `stage`, `stage_of`, `tally`, `tally_of`,
///   `item_failed`, `artifact`, `shutting_down` and `end_process`. An item or a variable that the body declares
///   shadows the helper of the same name; a function of that name outside the body does not.
/// - A controller with the same visibility as the function: a unit type with the axum handlers `show_progress` and
///   `handle_start`, and with the declaration as `Controller::PROCESS`. Its `start` starts a run from code: await it,
///   or first set an idempotency key, a priority or an actor on it.
/// - The struct of the inputs, `RecalculatePricesInput`, with a member for each field, if the process has fields.
/// - The registration through which the router finds the process.
///
/// # Names and routes
///
/// The controller has the function's name in UpperCamelCase. Its route is the type's name in kebab-case, below the
/// group. A raw identifier loses its `r#`. Letters of every alphabet are kept.
///
/// | function | type | route |
/// |---|---|---|
/// | `recalculate_prices` | `RecalculatePrices` | `recalculate-prices` |
/// | `backup_system`, `group = "admin"` | `BackupSystem` | `admin/backup-system` |
/// | `sync_http2_v2` | `SyncHttp2V2` | `sync-http2-v2` |
/// | `r#move` | `Move` | `move` |
/// | `größe_neu` | `GrößeNeu` | `größe-neu` |
/// | any, `name = HTTPSync` | `HTTPSync` | `http-sync` |
///
/// A `route` or `group` that you write yourself may contain lower-case letters, digits, and single `-` between them.
/// The first segment cannot be `runs`, `events`, `channels`, `nodes`, `assets`, `metrics`, `healthz`, `readyz`, `mcp`,
/// `tokens` or `schedules`: these are reserved for the runtime's own routes.
///
/// # Parameters
///
/// The type of a parameter alone decides what the parameter is:
///
/// - a type that implements `Field` is a form field, which the user who starts the run fills in;
/// - `State<T>` is a value that the application shares with its processes;
/// - `Progress` is the handle of the run;
/// - `Cursor<T>` is the position from which the run resumes.
///
/// The doc comment of a form field is its hint. `#[field(…)]` takes these keys:
///
/// | key | for | meaning |
/// |---|---|---|
/// | `label = "…"` | all | The text beside the input. Default: made from the parameter's name. |
/// | `help = "…"` | all | The hint under the input, in place of the doc comment. |
/// | `default = …` | all but secrets and files | The value if the input is empty or missing: an expression of the field's type, a quoted string for a type that can be made from one, or an array for a list. |
/// | `min = …`, `max = …` | numbers, dates, times, durations | The smallest and the largest accepted value, in the field's own type. |
/// | `step = …` | numbers | The distance between two accepted values, counted from `min`, or from 0 without `min`. |
/// | `min_len = …`, `max_len = …` | texts, secrets, lists | The minimum and maximum number of characters, or of entries. |
/// | `pattern = "…"` | texts | A regular expression that the whole text must match. |
/// | `pattern_message = "…"` | texts | What to enter, for those whose text does not match the pattern. |
/// | `placeholder = "…"` | texts, numbers, durations, lists | The text that the empty input shows. |
/// | `choices = […]` | texts, numbers, lists | The only accepted values. |
/// | `radio` | choices, enums | Shows all choices at once, as radio buttons. |
/// | `multiline` | texts | Gives the input several lines. |
/// | `accept = "…"`, `max_size = …` | files | The accepted file name endings and media types, and the maximum size in bytes. |
///
/// An `Option` takes the keys and the default of its inner type. The compiler reports a value or a bound of the wrong
/// type at the value, and a key that the field does not have at the key.
///
/// # Return types
///
/// A process returns nothing, or `Result<T, E>`. The page shows `T: Serialize` as the result and `E: Display` as the
/// error.
///
/// # Compile errors
///
/// The macro reports every mistake that it can see in the tokens in one compilation, each at the token that causes it
/// and with the correction: keys, values of the wrong kind, patterns, names, routes, parameters that are references. A
/// process with such a mistake is not registered, but its function and its controller exist, so that the mistake causes
/// no further errors.
///
/// What depends on a type is reported by the compiler, in the next compilation: a parameter whose type is no field, a
/// key that a field of this type does not have, a default or a bound of another type, a return type that is no
/// `Result`.
#[proc_macro_attribute]
pub fn process(args: TokenStream, item: TokenStream) -> TokenStream {
    expansion::process(args.into(), item.into()).into()
}

/// Implements `Field` for an enum or a struct.
///
/// An enum whose variants have no members is a choice between its variants. The first paragraph of a variant's doc
/// comment is its label, and the remaining text is its hint. In JSON and in forms, a variant is its name in
/// snake_case. A struct is a group with one field for each member; members take the same `#[field(…)]` keys as
/// parameters.
/// ```ignore
/// use process_runtime::prelude::*;
///
/// #[derive(Field)]
/// enum Region {
///     /// Everything north of the river
///     North,
///     #[field(label = "The south", value = "s")]
///     South,
/// }
///
/// #[derive(Field)]
/// struct Address {
///     /// With the number of the house.
///     street: String,
///     #[field(pattern = "[0-9]{5}")]
///     zip: String,
/// }
/// ```
///
/// On the type, `#[field(crate = path)]` sets the path of `process_runtime`. On a variant, `#[field(…)]` takes
/// `label`, `help` and `value`.
#[proc_macro_derive(Field, attributes(field))]
pub fn field(input: TokenStream) -> TokenStream {
    expansion::field(input.into()).into()
}
