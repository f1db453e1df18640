//! The keys of `#[process(…)]`.

use proc_macro2::TokenStream;
use syn::{Ident, LitStr, Path};

use crate::errors::Errors;
use crate::keys::{name, nearest, pairs, path, text};
use crate::policy::PolicyArgs;
use crate::schedule;

const PROCESS_KEYS: [&str; 15] = [
    "title",
    "name",
    "route",
    "group",
    "confirm",
    "validate",
    "concurrency",
    "concurrency_key",
    "exclusive",
    "priority",
    "timeout",
    "retries",
    "backoff",
    "schedule",
    "crate",
];

/// The keys of `#[process(…)]`, as far as they could be parsed.
#[derive(Default)]
pub(crate) struct ProcessArgs {
    pub(crate) title: Option<LitStr>,
    pub(crate) name: Option<Ident>,
    pub(crate) route: Option<LitStr>,
    pub(crate) group: Option<LitStr>,
    /// The question to confirm before a start.
    pub(crate) confirm: Option<LitStr>,
    /// The function that validates all inputs together.
    pub(crate) validate: Option<Path>,
    /// How its runs are queued and repeated.
    pub(crate) policy: PolicyArgs,
    /// The cron expression of its schedule.
    pub(crate) schedule: Option<LitStr>,
    pub(crate) runtime: Option<Path>,
    /// Something was meant to be the title, and that it is none was reported.
    pub(crate) title_reported: bool,
    /// The same of the name of the type.
    pub(crate) name_reported: bool,
}

impl ProcessArgs {
    /// Reads everything between the parentheses of `#[process(…)]`.
    pub(crate) fn read(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut args = Self::default();
        for pair in pairs(tokens, &PROCESS_KEYS, errors) {
            match pair.key.to_string().as_str() {
                "title" => {
                    args.title = text(pair, "\"…\"`, the heading of the page", errors);
                    args.title_reported = args.title.is_none();
                }
                "route" => args.route = text(pair, "\"import-users\"`", errors),
                "group" => args.group = text(pair, "\"admin\"`", errors),
                "name" => {
                    args.name = name(pair, "the name of a type", "ImportUsers", errors);
                    args.name_reported = args.name.is_none();
                }
                "confirm" => {
                    args.confirm =
                        text(pair, "\"Really?\"`, the question to confirm before a run starts", errors);
                }
                "validate" => args.validate = path(pair, "check_input", errors),
                "schedule" => {
                    args.schedule = text(pair, "\"0 3 * * *\"`, every day at 03:00 UTC", errors);
                    args.schedule.iter().for_each(|text| schedule::check(text, errors));
                }
                "crate" => args.runtime = path(pair, "::process_runtime", errors),
                "concurrency" | "concurrency_key" | "exclusive" | "priority" | "timeout" | "retries"
                | "backoff" => args.policy.read(pair, errors),
                // Reported as unknown; what it was meant to be is not reported as missing.
                unknown => args.title_reported |= nearest(unknown, &PROCESS_KEYS) == Some("title"),
            }
        }
        args.policy.check(errors);
        args
    }
}
