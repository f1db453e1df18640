//! What an application's own layout is given of a page, and that the page is shown whatever the layout does.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use serde_json::Value;

use crate::texts::Texts;

/// What a page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PageKind {
    /// Every process and its latest run.
    Index,
    /// A process: its form, its active run and its latest ones. Also when what was sent with the form was wrong.
    Process,
    /// A run.
    Run,
    /// Lines of a run's log.
    Log,
    /// The runs of all processes.
    History,
    /// A run beside another one.
    Compare,
    /// A request that went wrong.
    Problem,
}

/// A page, for a layout of one's own: see [`Builder::layout`](crate::Builder::layout).
///
/// What is called markup here is sent as it is. All else is text, which may come from people and processes: a layout
/// escapes it before it puts it into HTML.
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
    /// What the page shows.
    pub fn kind(&self) -> PageKind {
        self.kind
    }

    /// The title of the window, as text. A run's begins with its state, which the script keeps up to date.
    pub fn title(&self) -> &str {
        self.title
    }

    /// The language of the page, as the attribute `lang` of `<html>` has it: `en`, `pt-BR`.
    pub fn language(&self) -> &str {
        self.texts.tag()
    }

    /// `ltr` or `rtl`, for the attribute `dir` of `<html>`.
    pub fn direction(&self) -> &str {
        self.texts.direction()
    }

    /// The absolute path of the mount without a slash at its end, as text; empty at the root. The index is there, the
    /// history is at `/runs` below it.
    pub fn base(&self) -> &str {
        self.base
    }

    /// Markup for the `<head>`, which the content needs: style sheet, script and icon.
    pub fn head(&self) -> &str {
        self.head
    }

    /// Markup for the inside of a `<main>`: the page itself, which brings its `<h1>`.
    pub fn content(&self) -> &str {
        self.content
    }

    /// What the page shows as data, for templates of one's own. It is made when it is asked for.
    ///
    /// It is the JSON that programs get at the page's address. Only the messages of problems and errors are in the
    /// language of the page. Where programs get none:
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

/// What an application puts around pages.
#[derive(Clone)]
pub(crate) struct Layout(Arc<dyn Fn(&Page<'_>) -> String + Send + Sync>);

impl Layout {
    pub(crate) fn new(layout: impl Fn(&Page<'_>) -> String + Send + Sync + 'static) -> Self {
        Self(Arc::new(layout))
    }

    /// The whole page; `None` when the layout panicked.
    pub(crate) fn around(&self, page: &Page<'_>) -> Option<String> {
        // A layout is given what it only reads; what else it holds is its own matter.
        let laid_out = catch_unwind(AssertUnwindSafe(|| (self.0)(page)));
        laid_out
            .inspect_err(|_| tracing::error!("the layout panicked, and {page:?} is shown without it"))
            .ok()
    }
}
