//! The data of a page for an application's own layout, and the fallback if the layout panics.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use serde_json::Value;

use crate::texts::Texts;

/// The kind of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PageKind {
    /// The list of all processes, each with its latest run.
    Index,
    /// A process, with its form, its active run and its latest runs. Also the response to a form with invalid
    /// input.
    Process,
    /// A single run.
    Run,
    /// The log of a run.
    Log,
    /// The history: the runs of all processes.
    History,
    /// The comparison of a run with another run.
    Compare,
    /// An error page.
    Problem,
}

/// A page, passed to your own layout: see [`Builder::layout`](crate::Builder::layout).
///
/// Where a method returns markup, put it into the page unchanged. Everything else is text, which may come from
/// people and processes: your layout must escape it before it puts it into HTML.
pub struct Page<'a> {
    pub(crate) kind: PageKind,
    pub(crate) title: &'a str,
    pub(crate) base: &'a str,
    pub(crate) texts: &'a Texts,
    pub(crate) head: &'a str,
    pub(crate) content: &'a str,
    pub(crate) data: &'a dyn Fn() -> Value,
}

impl Page<'_> {
    /// Returns the kind of the page.
    pub fn kind(&self) -> PageKind {
        self.kind
    }

    /// Returns the title for the browser's title bar, as text. On a page of a run, it begins with the state of the
    /// run, which the script keeps up to date.
    pub fn title(&self) -> &str {
        self.title
    }

    /// Returns the language of the page, for the attribute `lang` of `<html>`, such as `en` or `pt-BR`.
    pub fn language(&self) -> &str {
        self.texts.tag()
    }

    /// Returns the text direction, `ltr` or `rtl`, for the attribute `dir` of `<html>`.
    pub fn direction(&self) -> &str {
        self.texts.direction()
    }

    /// Returns the absolute path of the mount without a trailing slash, as text. It is empty if the router is
    /// mounted at the root. The list of processes is at this path, and the history at `/runs` below it.
    pub fn base(&self) -> &str {
        self.base
    }

    /// Returns the markup for the `<head>` that the content needs: style sheet, script and icon.
    pub fn head(&self) -> &str {
        self.head
    }

    /// Returns the markup for the inside of a `<main>`: the page itself, including its `<h1>`.
    pub fn content(&self) -> &str {
        self.content
    }

    /// Returns the content of the page as data, for your own templates. The data is computed on each call.
    ///
    /// The data is the JSON that a program receives at the address of the page. Only the messages of problems and
    /// errors are in the language of the page. For pages without JSON, the members are:
    ///
    /// | kind | members |
    /// |---|---|
    /// | [`Process`](PageKind::Process) | those of a process on the index, and `schema`, `confirm`, `values` and `errors` of the form, `question`, `idempotency_key`, `active` and `recent` runs |
    /// | [`Log`](PageKind::Log) | `run`, `lines`, `has_more` |
    /// | [`Compare`](PageKind::Compare) | `run` and `other`, which is null when there is none |
    pub fn data(&self) -> Value {
        (self.data)()
    }
}

impl fmt::Debug for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page").field("kind", &self.kind).field("title", &self.title).finish_non_exhaustive()
    }
}

/// The application's own layout of pages.
#[derive(Clone)]
pub(crate) struct Layout(Arc<dyn Fn(&Page<'_>) -> String + Send + Sync>);

impl Layout {
    pub(crate) fn new(layout: impl Fn(&Page<'_>) -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(layout))
    }

    /// Renders the whole page; `None` if the layout panicked.
    pub(crate) fn around(&self, page: &Page<'_>) -> Option<String> {
        // A layout only reads the page. Unwind safety of its captured values is up to the application.
        let laid_out = catch_unwind(AssertUnwindSafe(|| (self.0)(page)));
        laid_out
            .inspect_err(|_| {
                tracing::error!("the layout panicked; {page:?} is shown with the default layout");
            })
            .ok()
    }
}
