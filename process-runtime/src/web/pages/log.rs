//! The lines of a log, on the page of a run and on the page that searches them.

use maud::{Markup, html};

use super::{Content, Log, LogTail, Shell, words};
use crate::layout::PageKind;
use crate::log_reader::LogEntry;
use crate::run::{Level, LogLine, Run, Style, pieces};
use crate::store::LogFilter;
use crate::texts::Texts;

/// How many lines before its failure a failed run shows beside its error.
const BEFORE_FAILURE: usize = 5;

/// The matching lines of a run.
pub(in crate::web) fn log(shell: &Shell<'_>, log: &Log<'_>) -> Content {
    let Log { run, filter, .. } = log;
    let (texts, whole) = (shell.texts, shell.log(run.id));
    let markup = html! {
        nav.path aria-label=(texts.text("page.path")) {
            @if let Some(process) = log.process.filter(|_| log.rights.process) {
                a href=(shell.process(&run.process)) dir="auto" { (process.title) } " › "
            }
            a href=(shell.run(run.id)) dir="auto" { (run.progress.title) }
        }
        h1 { (texts.text("page.log")) }
        form.filter method="get" action=(whole) role="search" {
            div.field {
                label for="filter-q" { (texts.text("log.text")) }
                input #filter-q type="search" name="q" dir="auto" value=[filter.contains.as_deref()];
            }
            div.field {
                label for="filter-level" { (texts.text("log.level")) }
                select #filter-level name="level" {
                    option value="" { (texts.text("history.all")) }
                    @for level in [Level::Info, Level::Warn, Level::Error] {
                        option value=(level) selected[filter.level == Some(level)] {
                            (from(texts, level))
                        }
                    }
                }
            }
            button type="submit" { (texts.text("action.show")) }
        }
        section {
            p.soft {
                (found(texts, log))
                @if let Some(omitted) = not_searched(log) { " " (texts.counted("log.not_searched", omitted)) }
                @if log.rights.download {
                    " " a href=(address(&whole, filter, filter.after, true)) { (texts.text("log.download")) }
                }
            }
            div.lines.all {
                ol { @for entry in log.entries { (entry_of(texts, entry)) } }
                p.soft { (texts.text("log.no_lines")) }
            }
            nav.pages aria-label=(texts.text("page.pages")) {
                @if filter.after > 0 {
                    a.button href=(address(&whole, filter, 0, false)) { (texts.text("log.first")) }
                }
                @if let Some(last) = log.next {
                    a.button rel="next" href=(address(&whole, filter, last, false)) { (texts.text("log.next")) }
                }
                a href=(shell.run(run.id)) { (texts.text("log.back")) }
            }
        }
    };
    Content {
        has_token: false,
        kind: PageKind::Log,
        title: texts.with("page.log_of", &[("title", &run.progress.title)]),
        markup,
    }
}

/// The label for this level and everything above.
fn from(texts: &Texts, level: Level) -> String {
    let word = words::level(texts, level);
    match level {
        Level::Error => word.to_owned(),
        _ => texts.with("level.and_above", &[("level", word)]),
    }
}

fn found(texts: &Texts, log: &Log<'_>) -> String {
    let what = if log.filter.is_selective() { "log.matching" } else { "log.lines" };
    let lines = log.entries.iter().filter(|entry| matches!(entry, LogEntry::Line(_))).count();
    let lines = texts.counted(what, lines as u64);
    let found = match (log.next.is_some(), log.filter.after) {
        (true, 0) => "log.found_first",
        (true, _) => "log.found_more",
        (false, 0) => "log.found_all",
        (false, _) => "log.found_last",
    };
    texts.with(found, &[("lines", &lines)])
}

fn address(whole: &str, filter: &LogFilter, after: u64, download: bool) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("q", filter.contains.as_deref().unwrap_or_default());
    if let Some(level) = filter.level {
        query.append_pair("level", level.as_str());
    }
    if after > 0 {
        query.append_pair("after", &after.to_string());
    }
    if download {
        query.append_pair("download", "1");
    }
    format!("{whole}?{}", query.finish())
}

/// The search form on the page of a run.
pub(super) fn search(shell: &Shell<'_>, run: &Run) -> Markup {
    let texts = shell.texts;
    html! {
        form.search method="get" action=(shell.log(run.id)) role="search" {
            input type="search" name="q" dir="auto" aria-label=(texts.text("log.search"))
                placeholder=(texts.text("log.text"));
            button type="submit" { (texts.text("action.search")) }
        }
    }
}

/// The number of omitted lines, on a page of matching lines: there the gaps are not visible.
fn not_searched(log: &Log<'_>) -> Option<u64> {
    let omitted = log.run.progress.omitted_lines;
    (log.filter.is_selective() && omitted > 0).then_some(omitted)
}

/// The end of a log as entries of a list, after a note on the lines before it. `whole` links to those that are kept.
pub(super) fn tail(texts: &Texts, run: &Run, log: &LogTail, whole: &str) -> Markup {
    let shown = log.entries.iter().map(|entry| match entry {
        LogEntry::Omitted(omitted) => omitted.lines,
        LogEntry::Line(_) => 0,
    });
    let omitted = run.progress.omitted_lines.saturating_sub(shown.sum()).min(log.earlier);
    let kept = log.earlier - omitted;
    html! {
        @if log.earlier > 0 {
            li.gap data-earlier {
                @if kept > 0 { a href=(whole) { (texts.counted("log.earlier", kept)) } }
                @if kept > 0 && omitted > 0 { " · " }
                @if omitted > 0 { (texts.counted("log.omitted", omitted)) }
            }
        }
        @for entry in &log.entries { (entry_of(texts, entry)) }
    }
}

fn entry_of(texts: &Texts, entry: &LogEntry) -> Markup {
    match entry {
        LogEntry::Omitted(omitted) => html! {
            li.gap data-omitted=(omitted.lines) { (texts.counted("log.omitted", omitted.lines)) }
        },
        LogEntry::Line(line) => line_of(texts, line, Some(line.seq)),
    }
}

/// The text of a line, with the colours that a tool gave it. The classes are the names of the colours.
fn coloured(line: &LogLine) -> Markup {
    html! {
        @for (piece, style) in pieces(&line.text, &line.styles) {
            @if style == Style::default() { (piece) } @else { span class=(style) { (piece) } }
        }
    }
}

/// The last lines before the failure of a run, without the one that repeats its error.
pub(super) fn before_failure<'a>(log: &'a LogTail, error: &str) -> Vec<&'a LogLine> {
    let mut lines: Vec<_> =
        log.entries.iter().rev().filter_map(LogEntry::line).take(BEFORE_FAILURE + 1).collect();
    lines.reverse();
    let repeats = |line: &&LogLine| line.level == Level::Error && line.text.contains(error);
    if lines.last().is_some_and(repeats) {
        lines.pop();
    }
    lines.split_off(lines.len().saturating_sub(BEFORE_FAILURE))
}

/// One line; `number` is missing where it repeats a line of the log.
pub(super) fn line_of(texts: &Texts, line: &LogLine, number: Option<u64>) -> Markup {
    html! {
        li.(line.level.as_str()) data-seq=[number] {
            (words::clock(line.at)) " "
            // Beside the text, not in it: the label is in the page's language, the text has a direction of its own.
            @if line.level != Level::Info { b { (words::level(texts, line.level)) } " " }
            span dir="auto" { (coloured(line)) }
        }
    }
}
