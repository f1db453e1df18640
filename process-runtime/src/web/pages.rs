//! The HTML of the pages. Every page is complete without JavaScript.

mod actions;
mod bar;
mod compare;
mod estimates;
mod facts;
mod field;
mod form;
mod given;
mod history;
mod index;
mod input;
mod log;
mod outcome;
mod panel;
#[cfg(test)]
mod parity;
mod process;
mod run;
mod shell;
mod table;
mod values;
mod words;

use jiff::Timestamp;
use maud::{Markup, html};
use serde_json::{Map, Value};

pub(in crate::web) use self::compare::compare;
pub(in crate::web) use self::given::summary;
pub(in crate::web) use self::history::{history, older};
pub(in crate::web) use self::index::index;
pub(in crate::web) use self::log::log;
pub(in crate::web) use self::process::{RECENT, process};
pub(in crate::web) use self::run::run;
pub(in crate::web) use self::shell::{frame, head, problem};
pub(in crate::web) use self::words::status;
use crate::branding::Brand;
use crate::field::FieldErrors;
use crate::layout::PageKind;
use crate::log_reader::LogEntry;
use crate::process::Process;
use crate::processes::ScheduleNote;
use crate::run::{Run, RunId};
use crate::store::{LogFilter, RunCounts, RunFilter, RunPosition};
use crate::texts::Texts;
use crate::web::request::active::ActiveCounts;
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
    /// The name of the script under `/assets/` for the page of a run.
    pub watching: &'a str,
    /// The name of the script under `/assets/` for pages with a form.
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

    /// The history of one process.
    fn history_of(&self, route: &str) -> String {
        let query = form_urlencoded::Serializer::new(String::new()).append_pair("process", route).finish();
        format!("{}?{query}", self.history())
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

    /// The address of the whole log: a download, or a page for those without permission to download.
    fn whole_log(&self, id: RunId, rights: Rights) -> String {
        format!("{}{}", self.log(id), if rights.download { "" } else { "?q=" })
    }
}

/// The content of a page, without its frame.
pub(super) struct Content {
    /// It shows a token, such as a share link.
    pub has_token: bool,
    pub kind: PageKind,
    /// The title of the window.
    pub title: String,
    /// The inside of `<main>`.
    pub markup: Markup,
}

/// A process on the index.
pub(super) struct Entry {
    pub process: &'static Process,
    /// The run that is shown: one that executes, otherwise a paused or queued one, otherwise the latest.
    pub latest: Option<Run>,
    pub active: ActiveCounts,
}

/// A file of an earlier run that a form offers again.
pub(super) struct KeptFile {
    /// The value of its input.
    pub address: String,
    pub name: String,
    pub size: u64,
}

/// The state of a process's form: what was entered, and what is wrong with it.
pub(super) struct FormState<'a> {
    /// By field name; a field that is missing shows its default.
    pub values: &'a Map<String, Value>,
    pub errors: &'a FieldErrors,
    /// The question that must be answered with yes.
    pub question: Option<&'a str>,
    /// The idempotency key: a form that is sent twice starts one run.
    pub key: &'a str,
    /// The files of earlier runs that it offers again.
    pub kept: &'a [KeptFile],
}

/// The runs that the page of a process shows.
pub(super) struct ProcessRuns<'a> {
    pub active: Option<&'a RunView<'a>>,
    pub counts: ActiveCounts,
    pub recent: &'a [Run],
    /// The scheduled starts that started nothing.
    pub schedule_note: Option<ScheduleNote>,
}

/// The end of a run's log.
pub(super) struct LogTail {
    /// In order, with the gaps where lines were omitted.
    pub entries: Vec<LogEntry>,
    /// How many lines precede these, kept or not.
    pub earlier: u64,
    /// The number of the run's last line; 0 if there is none.
    pub last: u64,
}

/// What the panel of a run shows.
#[derive(Clone, Copy)]
pub(super) struct RunView<'a> {
    /// `None` if it is no longer part of the program.
    pub process: Option<&'static Process>,
    pub run: &'a Run,
    pub log: &'a LogTail,
    /// The run to compare it with.
    pub earlier: Option<&'a Run>,
    pub rights: Rights,
    /// The share link that was just created.
    pub link: Option<Link<'a>>,
}

/// A link that shows a run to anyone who has it.
#[derive(Clone, Copy)]
pub(super) struct Link<'a> {
    pub address: &'a str,
    pub until: Timestamp,
}

/// A page of a run's log.
pub(super) struct Log<'a> {
    /// `None` if it is no longer part of the program.
    pub process: Option<&'static Process>,
    pub run: &'a Run,
    /// The requested filter.
    pub filter: &'a LogFilter,
    pub entries: &'a [LogEntry],
    /// The line after which the next page begins, if there are more.
    pub next: Option<u64>,
    pub rights: Rights,
}

/// One page of the history.
pub(super) struct History<'a> {
    pub runs: &'a [Run],
    /// The requested filter.
    pub filter: &'a RunFilter,
    /// The period and the text to search for, as they were entered.
    pub from: &'a str,
    pub until: &'a str,
    pub sought: &'a str,
    /// The position behind which older runs continue, if there are any.
    pub next: Option<RunPosition>,
    /// Older runs were not searched yet.
    pub is_cut: bool,
    /// How many runs match, whatever their status; `None` if one run was searched by its id.
    pub counts: Option<&'a RunCounts>,
    /// When the runs were read.
    pub at: Timestamp,
    /// The processes offered by the filter.
    pub processes: &'a [&'static Process],
}

/// A button that copies text. The script shows it if the browser permits copying.
fn copy(label: &str, text: &str) -> Markup {
    html! { button.small type="button" data-copy=(text) hidden { (label) } }
}
