//! The HTML people see: what each page shows, in which words, and that it is true without a script.

mod actions;
mod bar;
mod compare;
mod facts;
mod field;
mod form;
mod history;
mod index;
mod input;
mod log;
mod outcome;
mod panel;
mod process;
mod run;
mod shell;
mod values;
mod words;

use jiff::Timestamp;
use maud::{Markup, html};
use serde_json::{Map, Value};

pub(in crate::web) use self::compare::compare;
pub(in crate::web) use self::history::history;
pub(in crate::web) use self::index::index;
pub(in crate::web) use self::log::log;
pub(in crate::web) use self::process::process;
pub(in crate::web) use self::run::run;
pub(in crate::web) use self::shell::{frame, head, problem};
pub(in crate::web) use self::words::status;
use crate::branding::Brand;
use crate::field::FieldErrors;
use crate::layout::PageKind;
use crate::log_reader::LogEntry;
use crate::process::Process;
use crate::run::{Run, RunId};
use crate::store::{LogFilter, RunFilter};
use crate::texts::Texts;
use crate::web::request::path;
use crate::web::request::rights::Rights;

/// What every page needs to link to the others.
pub(super) struct Shell<'a> {
    /// The absolute path of the mount without its trailing slash; empty at the root.
    pub base: &'a str,
    /// The name of the stylesheet under `/assets/`.
    pub css: &'a str,
    /// The name of the script under `/assets/`.
    pub js: &'a str,
    /// The name of what the pages have beside it from which runs are started.
    pub starting: &'a str,
    /// The name of the logo under `/assets/`.
    pub logo: Option<&'a str>,
    pub brand: &'a Brand,
    /// The language of the page.
    pub texts: &'a Texts,
}

impl Shell<'_> {
    fn home(&self) -> String {
        if self.base.is_empty() { "/".into() } else { self.base.into() }
    }

    fn asset(&self, name: &str) -> String {
        format!("{}/assets/{name}", self.base)
    }

    fn history(&self) -> String {
        format!("{}/runs", self.base)
    }

    fn process(&self, route: &str) -> String {
        format!("{}/{}/show_progress", self.base, path::route(route))
    }

    fn start(&self, route: &str) -> String {
        format!("{}/{}/start", self.base, path::route(route))
    }

    fn run(&self, id: RunId) -> String {
        format!("{}/runs/{id}", self.base)
    }

    fn log(&self, id: RunId) -> String {
        format!("{}/log", self.run(id))
    }

    /// All of a log: as a file, or on a page for those without permission to download.
    fn whole_log(&self, id: RunId, rights: Rights) -> String {
        format!("{}{}", self.log(id), if rights.download { "" } else { "?q=" })
    }
}

/// What a page shows, whatever it stands in.
pub(super) struct Content {
    pub kind: PageKind,
    /// Of the window.
    pub title: String,
    /// The inside of `<main>`.
    pub markup: Markup,
}

/// A process on the index.
pub(super) struct Entry {
    pub process: &'static Process,
    pub latest: Option<Run>,
}

/// What the form of a process shows: what was typed in, and what was wrong with it.
pub(super) struct FormState<'a> {
    /// By field name; a field that is not in it shows its default.
    pub values: &'a Map<String, Value>,
    pub errors: &'a FieldErrors,
    /// What has to be answered with yes.
    pub question: Option<&'static str>,
    /// Makes a form that is sent twice start one run.
    pub key: &'a str,
}

/// The end of a run's log.
pub(super) struct LogTail {
    /// In order, with what was omitted between them.
    pub entries: Vec<LogEntry>,
    /// How many lines there were in front of these, kept or not.
    pub earlier: u64,
    /// The number of the last line of the run, 0 when there is none.
    pub last: u64,
}

/// All that the panel of a run shows.
#[derive(Clone, Copy)]
pub(super) struct RunView<'a> {
    /// `None` when the program no longer has it.
    pub process: Option<&'static Process>,
    pub run: &'a Run,
    pub log: &'a LogTail,
    /// What it can be compared with.
    pub earlier: Option<&'a Run>,
    pub rights: Rights,
    /// What was just made of it.
    pub link: Option<Link<'a>>,
}

/// A link that shows a run to whoever has it.
#[derive(Clone, Copy)]
pub(super) struct Link<'a> {
    pub address: &'a str,
    pub until: Timestamp,
}

/// Some lines of a run's log.
pub(super) struct Log<'a> {
    /// `None` when the program no longer has it.
    pub process: Option<&'static Process>,
    pub run: &'a Run,
    /// What was asked for.
    pub filter: &'a LogFilter,
    pub entries: &'a [LogEntry],
    /// After which line the next page goes on, if there is more.
    pub next: Option<u64>,
    pub rights: Rights,
}

/// One page of the history.
pub(super) struct History<'a> {
    pub runs: &'a [Run],
    /// From 1.
    pub page: usize,
    pub has_more: bool,
    /// What was asked for.
    pub filter: &'a RunFilter,
    /// The ends of the time, as they were written.
    pub from: &'a str,
    pub until: &'a str,
    /// All that can be filtered by.
    pub processes: &'a [&'static Process],
}

/// A button that copies. RunView by the script where the browser lets it.
fn copy(label: &str, text: &str) -> Markup {
    html! { button.small type="button" data-copy=(text) hidden { (label) } }
}
