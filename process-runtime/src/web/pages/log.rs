//! Owns the lines of a log, on the page of a run and on one of their own, where they are looked through.
//! Refuses to know how lines are found.

use maud::{Markup, html};

use super::{Content, Log, Shell, words};
use crate::layout::PageKind;
use crate::run::{Level, LogLine, Run};
use crate::store::LogFilter;
use crate::texts::Texts;

/// The lines of a run that match.
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
                @if log.rights.download {
                    " " a href=(address(&whole, filter, filter.after, true)) { (texts.text("log.download")) }
                }
            }
            div.lines.all {
                ol { (lines(texts, log.lines, filter.after, is_whole(filter), None)) }
                p.soft { (texts.text("log.no_lines")) }
            }
            nav.pages aria-label=(texts.text("page.pages")) {
                @if filter.after > 0 {
                    a.button href=(address(&whole, filter, 0, false)) { (texts.text("log.first")) }
                }
                @if let (true, Some(last)) = (log.has_more, log.lines.last()) {
                    a.button rel="next" href=(address(&whole, filter, last.seq, false)) { (texts.text("log.next")) }
                }
                a href=(shell.run(run.id)) { (texts.text("log.back")) }
            }
        }
    };
    Content {
        kind: PageKind::Log,
        title: texts.with("page.log_of", &[("title", &run.progress.title)]),
        markup,
    }
}

/// The lines of this level and of all that matter more.
fn from(texts: &Texts, level: Level) -> String {
    let word = words::level(texts, level);
    match level {
        Level::Error => word.to_owned(),
        _ => texts.with("level.and_above", &[("level", word)]),
    }
}

fn found(texts: &Texts, log: &Log<'_>) -> String {
    let what = if is_whole(log.filter) { "log.lines" } else { "log.matching" };
    let lines = texts.counted(what, log.lines.len() as u64);
    let found = match (log.has_more, log.filter.after) {
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

/// The form on the page of a run that leads to the lines one looks for.
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

/// True when no line is left out for what it says: then a gap in the numbers means lines that were not kept.
pub(in crate::web) fn is_whole(filter: &LogFilter) -> bool {
    filter.level.is_none() && filter.contains.is_none()
}

/// Lines as entries of a list, behind the line `before`, with their gaps where these mean something. `earlier`
/// is where to find the lines in front of them.
pub(super) fn lines(
    texts: &Texts,
    lines: &[LogLine],
    before: u64,
    gaps: bool,
    earlier: Option<&str>,
) -> Markup {
    html! {
        @for (index, line) in lines.iter().enumerate() {
            @let before = index.checked_sub(1).map_or(before, |previous| lines[previous].seq);
            @let missing = line.seq.saturating_sub(before + 1);
            @if gaps && missing > 0 {
                @match earlier.filter(|_| index == 0) {
                    Some(whole) => li.gap { a href=(whole) { (texts.counted("log.earlier", missing)) } },
                    None => li.gap { (texts.counted("log.omitted", missing)) },
                }
            }
            li.(line.level.as_str()) data-seq=(line.seq) {
                (words::clock(line.at)) " "
                // The word in front is the page's, and says nothing of the line's direction.
                span dir="auto" {
                    @if line.level != Level::Info {
                        b dir=(texts.direction()) { (words::level(texts, line.level)) } " "
                    }
                    (line.text)
                }
            }
        }
    }
}
