//! The buttons that ask something of a run, as it is. The script shows and hides them as the run goes on. What its
//! process would only refuse is not among them, and why is said in its place.

use maud::{Markup, html};

use super::Shell;
use crate::process::Process;
use crate::processes::{Refusal, refuses_resume, refuses_retry};
use crate::run::{Run, RunStatus};
use crate::web::request::rights::Rights;

/// All that can be asked of the run by those who may. `process` is `None` when the program no longer has it.
pub(super) fn actions(shell: &Shell<'_>, process: Option<&Process>, run: &Run, rights: Rights) -> Markup {
    let (texts, address) = (shell.texts, shell.run(run.id));
    let live = !run.status.is_terminal();
    let cancelling = run.status == RunStatus::Cancelling;
    let resumable = process.is_some_and(Process::is_resumable);
    let waits = run.status == RunStatus::Queued || (run.status == RunStatus::Running && resumable);
    let paused = run.status == RunStatus::Paused || run.pausing;
    // A run that has ended well has nothing to be repeated.
    let failed = !live && run.status != RunStatus::Succeeded;
    let ask = |part: &str, what: &str, class: Option<&str>, key: &str, shown: bool| {
        html! {
            form method="post" action=(format!("{address}/{what}")) data-ask=(part) hidden[!shown] {
                button type="submit" class=[class] { (texts.text(key)) }
            }
        }
    };
    let no_resume = process.filter(|_| live).and_then(|process| refuses_resume(process, run));
    let no_retry = |anew| process.and_then(|process| refuses_retry(process, run, anew));
    let (no_retry, no_anew) = (no_retry(false), no_retry(true));
    let why = |key: &str, refusal: &Refusal| {
        let why = texts.say(&refusal.message());
        html! { p { (texts.with("action.impossible", &[("action", texts.text(key)), ("reason", &why)])) } }
    };
    html! {
        div.actions slot="actions" {
            @if live && rights.control {
                (ask("pause", "pause", None, "action.pause", waits && !paused))
                @match &no_resume {
                    None => (ask("resume", "resume", Some("primary"), "action.resume", paused)),
                    Some(refusal) => @if paused { (why("action.resume", refusal)) },
                }
                form method="post" action=(format!("{address}/cancel")) data-part="cancel" {
                    button type="submit" disabled[cancelling] {
                        (texts.text(if cancelling { "action.cancelling" } else { "action.cancel" }))
                    }
                }
                (ask("force", "cancel?force=yes", Some("danger"), "action.force", cancelling || run.stalled))
            }
            @if let Some(process) = process {
                @if rights.control && rights.start {
                    @match &no_retry {
                        None => (ask("retry", "retry", Some("primary"), "action.retry", failed)),
                        Some(refusal) => @if failed { (why("action.retry", refusal)) },
                    }
                    @if no_anew.is_none() && (resumable || run.books.cursor.is_some()) {
                        (ask("anew", "retry?from=start", None, "action.retry_anew", failed))
                    }
                }
                @if rights.start {
                    a.button href=(again(shell, process, run)) data-part="again" hidden[live] {
                        (texts.text("action.again"))
                    }
                }
            }
        }
    }
}

/// The form of the process, filled in as it was for this run, without its secrets and files.
fn again(shell: &Shell<'_>, process: &Process, run: &Run) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(crate::web::request::form::pairs(&process.fields(), &run.input));
    let page = shell.process(&process.route());
    match query.finish() {
        query if query.is_empty() => page,
        query => format!("{page}?{query}"),
    }
}
