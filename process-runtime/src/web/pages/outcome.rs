//! The outcome of a run that has ended: error, result, files and failed items. An open page requests it when its run ends, so that
//! it is the same live and after a reload.

use maud::{Markup, html};

use super::log::{before_failure, line_of};
use super::{LogTail, Shell, copy, values, words};
use crate::run::{Counts, FailedItem, Run, RunFile, RunStatus, chain};
use crate::texts::Texts;
use crate::web::request::path;
use crate::web::request::rights::Rights;

/// How many failed items are shown at once.
const SHOWN: usize = 5;

pub(super) fn outcome(shell: &Shell<'_>, run: &Run, rights: Rights) -> Markup {
    let (texts, address) = (shell.texts, shell.run(run.id));
    html! {
        @match &run.result {
            Some(result) if !result.is_null() => section.result {
                header {
                    h2 { (texts.text("run.result")) }
                    @if rights.download {
                        a href=(format!("{address}/result")) download { (texts.text("action.download")) }
                    }
                }
                (values::value(texts, result))
            },
            _ if run.status == RunStatus::Succeeded && run.files.is_empty() => section.result {
                h2 { (texts.text("run.result")) }
                p.soft { (texts.text("run.no_result")) }
            },
            _ => {},
        }
        @if !run.files.is_empty() { (files(texts, &run.files, &address, rights)) }
        @if run.status.is_terminal() && !run.failed_items.is_empty() { (failed_items(texts, run, &address)) }
    }
}

fn items(items: &[FailedItem]) -> Markup {
    html! {
        dl.fields {
            @for FailedItem { item, reason } in items {
                div { dt dir="auto" { (item) } dd dir="auto" { (reason) } }
            }
        }
    }
}

fn failed_items(texts: &Texts, run: &Run, address: &str) -> Markup {
    let all = run.progress.counts.get(Counts::FAILED);
    html! {
        section.items {
            header {
                h2 { (texts.counted("run.failed_items", all)) }
                a href=(format!("{address}/log?level=error")) { (texts.counted("run.all_failed", all)) }
            }
            @let (first, rest) = run.failed_items.split_at(run.failed_items.len().min(SHOWN));
            (items(first))
            @if !rest.is_empty() {
                details { summary { (texts.counted("run.more_items", rest.len() as u64)) } (items(rest)) }
            }
            @let unlisted = all.saturating_sub(run.failed_items.len() as u64);
            @if unlisted > 0 { p.soft { (texts.counted("run.unlisted_items", unlisted)) } }
        }
    }
}

/// Why a run failed, what it was doing, and a copy button with everything a bug report needs. Of a long error, the lines
/// after the first are folded. The script requests the same at the end of a run.
pub(super) fn failure(texts: &Texts, run: &Run, log: &LogTail) -> Markup {
    html! {
        div slot="failure" data-part="failure" {
            @if let Some(error) = &run.error { (failed(texts, run, error, log)) }
        }
    }
}

fn failed(texts: &Texts, run: &Run, error: &str, log: &LogTail) -> Markup {
    let (message, rest) = error.trim_end().split_once('\n').unwrap_or((error, ""));
    let id = run.id.to_string();
    let whole = chain(error, &run.causes);
    let copied =
        texts.with("run.copied_error", &[("title", &run.progress.title), ("error", &whole), ("id", &id)]);
    let (stage, lines) = (words::stage(texts, &run.progress), before_failure(log, message));
    html! {
        section.failure {
            // The status is visible above.
            h2.unseen { (words::status(texts, run.status)) }
            p.message dir="auto" { (message) }
            @if !run.causes.is_empty() {
                div.causes {
                    p.soft { (texts.text("run.caused_by")) }
                    ul { @for cause in &run.causes { li { bdi { (cause) } } } }
                }
            }
            @if !stage.is_empty() { p { (texts.with("run.failed_at", &[("stage", &stage)])) } }
            @if !lines.is_empty() {
                ol.lines aria-label=(texts.text("run.before_failure")) {
                    @for line in lines { (line_of(texts, line, None)) }
                }
            }
            @if !rest.is_empty() {
                details { summary { (texts.text("run.more")) } pre tabindex="0" dir="auto" { (rest) } }
            }
            p.soft {
                (words::around(texts.text("run.id_is"), "{id}", &html! { code dir="ltr" { (id) } })) " "
                (copy(texts.text("action.copy"), &copied))
            }
        }
    }
}

/// It says of which file it is to those who hear the link alone.
fn view(texts: &Texts, file: &RunFile, address: &str) -> Markup {
    let label = texts.with("run.view_file", &[("name", &file.name)]);
    html! { a href=(format!("{address}?inline")) aria-label=(label) { (texts.text("action.view")) } }
}

fn files(texts: &Texts, files: &[RunFile], address: &str, rights: Rights) -> Markup {
    html! {
        section.files {
            h2 { (texts.text("run.files")) }
            ul {
                @for file in files {
                    @let name = path::segment(&file.name);
                    li {
                        @if rights.download {
                            @let file_address = format!("{address}/files/{name}");
                            a href=(file_address) download=(file.name) dir="auto" { (file.name) }
                            @if file.is_viewable() { " " (view(texts, file, &file_address)) }
                        } @else {
                            bdi { (file.name) }
                        }
                        " " span.soft { (texts.size(file.size)) }
                    }
                }
            }
        }
    }
}
