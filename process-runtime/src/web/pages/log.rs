//! Owns the lines of a log, on the page of a run and on one of their own, where they are looked through.
//! Refuses to know how lines are found.

use maud::{Markup, html};

use super::shell::page;
use super::{Log, Shell, words};
use crate::run::{Level, LogLine, Run};
use crate::store::LogFilter;

/// The lines of a run that match.
pub(in crate::web) fn log(shell: &Shell<'_>, log: &Log<'_>) -> Markup {
    let Log { run, filter, .. } = log;
    let whole = shell.log(run.id);
    let content = html! {
        nav.path aria-label="Where this is" {
            @if let Some(process) = log.process {
                a href=(shell.process(&run.process)) { (process.title) } " › "
            }
            a href=(shell.run(run.id)) { (run.progress.title) }
        }
        h1 { "Log" }
        form.filter method="get" action=(whole) role="search" {
            div.field {
                label for="filter-q" { "Text" }
                input #filter-q type="search" name="q" value=[filter.contains.as_deref()];
            }
            div.field {
                label for="filter-level" { "Level" }
                select #filter-level name="level" {
                    option value="" { "All" }
                    @for level in [Level::Info, Level::Warn, Level::Error] {
                        option value=(level) selected[filter.level == Some(level)] {
                            (words::level(level).unwrap_or("Information")) (if level == Level::Error { "" } else { " and above" })
                        }
                    }
                }
            }
            button type="submit" { "Show" }
        }
        section {
            p.soft {
                (found(log)) " "
                a href=(address(&whole, filter, filter.after, true)) { "Download these lines" }
            }
            div.lines.all {
                ol { (lines(log.lines, filter.after, is_whole(filter), None)) }
                p.soft { "No lines." }
            }
            nav.pages aria-label="Pages" {
                @if filter.after > 0 {
                    a.button href=(address(&whole, filter, 0, false)) { "First lines" }
                }
                @if let (true, Some(last)) = (log.has_more, log.lines.last()) {
                    a.button rel="next" href=(address(&whole, filter, last.seq, false)) { "Next" }
                }
                a href=(shell.run(run.id)) { "Back to the run" }
            }
        }
    };
    page(shell, &format!("Log · {}", run.progress.title), &content)
}

fn found(log: &Log<'_>) -> String {
    let what = if is_whole(log.filter) { "line" } else { "matching line" };
    let count = counted(log.lines.len() as u64, what);
    match (log.has_more, log.filter.after) {
        (true, 0) => format!("The first {count}."),
        (true, _) => format!("{count}, and more."),
        (false, 0) => format!("{count}."),
        (false, _) => format!("The last {count}."),
    }
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
    html! {
        form.search method="get" action=(shell.log(run.id)) role="search" {
            input type="search" name="q" aria-label="Text in the log" placeholder="Text";
            button type="submit" { "Search" }
        }
    }
}

/// True when no line is left out for what it says: then a gap in the numbers means lines that were not kept.
pub(in crate::web) fn is_whole(filter: &LogFilter) -> bool {
    filter.level.is_none() && filter.contains.is_none()
}

/// Lines as entries of a list, behind the line `before`, with their gaps where these mean something. `earlier`
/// is where to find the lines in front of them.
pub(super) fn lines(lines: &[LogLine], before: u64, gaps: bool, earlier: Option<&str>) -> Markup {
    html! {
        @for (index, line) in lines.iter().enumerate() {
            @let before = index.checked_sub(1).map_or(before, |previous| lines[previous].seq);
            @let missing = line.seq.saturating_sub(before + 1);
            @if gaps && missing > 0 {
                @match earlier.filter(|_| index == 0) {
                    Some(whole) => li.gap { a href=(whole) { (counted(missing, "earlier line")) } },
                    None => li.gap { (counted(missing, "line")) " omitted" },
                }
            }
            li.(line.level.as_str()) data-seq=(line.seq) {
                (words::clock(line.at)) " "
                span {
                    @if let Some(word) = words::level(line.level) { b { (word) } " " }
                    (line.text)
                }
            }
        }
    }
}

/// `1 line`, `1,234 lines`.
pub(in crate::web) fn counted(number: u64, what: &str) -> String {
    format!("{} {what}{}", words::grouped(&number.to_string()), if number == 1 { "" } else { "s" })
}
