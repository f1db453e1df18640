//! The `#[process]` attribute of `process-runtime`.
//!
//! Use it through `process_runtime`, whose `prelude` holds it: the code it writes refers to that crate.
//! Everything about it is said at [`process`](macro@process).
//!
//! # The house
//!
//! A module imports only what stands below it: `expansion`, `derive`, `expand` and `fallback`, `controller`, `inject`
//! and `input`, `model`, `args`, `naming`, `options` and `signature`, `policy` and `schedule`, `helpers`, `item` and `keys`, and
//! at the bottom `docs`, `errors` and `places`. This file owns what rustc calls and what is said about it to those
//! who use it, and refuses to know how any of it is done. What the macros write can be read in `snapshots/`.

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
mod signature;

mod policy;
mod schedule;

mod helpers;
mod item;
mod keys;

mod docs;
mod errors;
mod places;

/// Makes a process of an async function: a registered unit of work with a form, a page and a live stream.
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
/// | key | what it says |
/// |---|---|
/// | `title = "…"` | The heading people see. It is the only key that is required. |
/// | `name = RecalculatePrices` | The name of the controller type, in place of the one made from the function's name. |
/// | `route = "…"` | The last segment of the route, in place of the one made from the type's name. |
/// | `group = "…"` | The group the process is listed under; it is the first segment of the route. |
/// | `confirm = "…"` | A question that is asked before a start; nothing starts without a yes. |
/// | `validate = path` | A function that looks at all inputs together: `fn(&RecalculatePricesInput) -> Result<(), E>` where `E` becomes `FieldErrors`. |
/// | `concurrency = 3` | How many of its runs are executed at the same time, 1 to 1000; 1 without it. The others wait. |
/// | `concurrency_key = customer` | A form field: runs with different values of it do not wait for each other, and `concurrency` holds for each value. |
/// | `exclusive` | A start while a run of it is active opens that run, and starts none. |
/// | `priority = 10` | Its runs' place in the queue, -1000 to 1000; 0 without it. Higher goes first, and of the same the oldest. |
/// | `timeout = "10m"` | How long one attempt may take. |
/// | `retries = 3` | How often it is tried again after it returned an error, up to 100. |
/// | `backoff = "10s"` | With `retries`: how long it waits before it is tried again for the first time; then twice as long each time. |
/// | `schedule = "0 3 * * *"` | When a run is started by itself, with every field's default: minute, hour, day of the month, month, day of the week, in UTC. |
/// | `crate = path` | Where `process_runtime` is, when the dependency is renamed or re-exported. |
///
/// The doc comment is the description on the page. A length of time is a text such as `"90s"`, `"10m"`,
/// `"1h 30m"` or `"2 days"`.
///
/// # What it writes
///
/// - The function itself, which stays a plain function: callable, with its attributes, visibility and docs.
///   In its body the helpers are in scope without an import: `process_start`, `set_progress`,
///   `set_progress_of`, `set_progress_text`, `log`, `warn`, `stage`, `stage_of`, `tally`, `tally_of`,
///   `item_failed`, `artifact`, `shutting_down` and `end_process`. An item or a variable that the body itself declares wins over the helper of its name;
///   a function of that name outside of the body does not.
/// - A controller, as visible as the function: a unit type with the axum handlers `show_progress` and
///   `handle_start`, with `start` for starting a run from code (awaited, or first told an idempotency key,
///   a priority or who asks for it), and with the declaration as `Controller::PROCESS`.
/// - The struct of its inputs, `RecalculatePricesInput`, with a member for each field, if there is one.
/// - The registration, by which the router finds the process.
///
/// # Names and routes
///
/// The controller is called like the function, in UpperCamelCase; its route is the type's name in
/// kebab-case, below the group. A raw identifier loses its `r#`; letters of every alphabet are kept.
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
/// A route or group that is written by hand holds lower-case letters, digits, and single `-` between them.
/// The first segment cannot be `runs`, `events` or `assets`, which are the runtime's own pages.
///
/// # Parameters
///
/// What a parameter is depends on its type alone. A form field, which is everything that implements
/// `Field`, is filled in by the person who starts the run; `State<T>` is what the application shares;
/// `Progress` is the run's own handle; `Cursor<T>` is the place the run goes on from. A form field can say more about itself. Its doc comment is its hint;
/// the rest is in `#[field(…)]`:
///
/// | key | for | what it says |
/// |---|---|---|
/// | `label = "…"` | all | The text beside the input, in place of the one made from the parameter's name. |
/// | `help = "…"` | all | The hint under the input, in place of the doc comment. |
/// | `default = …` | all but secrets and files | The value when nothing is given: any expression of the field's type, a text in quotes for anything that is made from one, or an array for a list. |
/// | `min = …`, `max = …` | numbers, dates, times, durations | The least and the most, in the field's own type. |
/// | `step = …` | numbers | The distance between two values, from `min`, or else from 0. |
/// | `min_len = …`, `max_len = …` | texts, secrets, lists | How many characters, or entries. |
/// | `pattern = "…"` | texts | A regular expression that all of the text must match. |
/// | `placeholder = "…"` | texts, numbers, durations, lists | What the empty input shows. |
/// | `choices = […]` | texts, numbers, lists | The only values that are accepted. |
/// | `radio` | choices, enums | All choices are shown at once. |
/// | `multiline` | texts | The input has several lines. |
/// | `accept = "…"`, `max_size = …` | files | Ends of names and media types, and the most bytes. |
///
/// For an `Option` the keys are those of what is in it, and so is the default. A value or a bound of the
/// wrong type is reported at the value; a key that a field does not have, at the key.
///
/// # Return types
///
/// Nothing, or `Result<T, E>` where `T: Serialize` is shown as the result and `E: Display` as the error.
///
/// # Mistakes
///
/// All mistakes are reported at once, each where it was made and with what to write instead. A process with
/// a mistake in its attribute or signature is not registered, but its function and its controller exist, so
/// that nothing else is reported because of it.
#[proc_macro_attribute]
pub fn process(args: TokenStream, item: TokenStream) -> TokenStream {
    expansion::process(args.into(), item.into()).into()
}

/// Makes a field of an enum or a struct.
///
/// An enum without members is one choice of its variants: the first paragraph of a variant's doc comment is
/// its label, the rest its hint. In JSON and forms a variant is its name in snake_case. A struct is a group
/// with a field for each member, which takes the keys of `#[field(…)]` that a parameter takes.
///
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
/// On the type, `#[field(crate = path)]` says where `process_runtime` is; on a variant, `#[field(…)]` takes
/// `label`, `help` and `value`.
#[proc_macro_derive(Field, attributes(field))]
pub fn field(input: TokenStream) -> TokenStream {
    expansion::field(input.into()).into()
}
