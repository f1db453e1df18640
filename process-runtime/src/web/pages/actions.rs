//! The control buttons of a run in its current state. The script shows and hides them as the run continues. An action
//! that the process would refuse has no button; the reason is shown instead.

use maud::{Markup, html};

use super::Shell;
use crate::process::Process;
use crate::processes::{refuses_resume, refuses_retry};
use crate::run::{Run, RunStatus, SavedCursor};
use crate::texts::{Message, Texts};
use crate::web::request::form::from_name;
use crate::web::request::rights::Rights;

/// The buttons of a run, for those with permission to control it. `process` is `None` if it is no longer part of the
/// program.
pub(super) fn actions(shell: &Shell<'_>, process: Option<&Process>, run: &Run, rights: Rights) -> Markup {
    let (texts, address) = (shell.texts, shell.run(run.id));
    let live = !run.status.is_terminal();
    let cancelling = run.status == RunStatus::Cancelling;
    let resumable = process.is_some_and(|process| may_pause(process, run));
    let waits = run.status == RunStatus::Queued || (run.status == RunStatus::Running && resumable);
    let paused = run.status == RunStatus::Paused || run.pausing;
    // A run that succeeded cannot be retried.
    let failed = !live && run.status != RunStatus::Succeeded;
    let ask = |part: &str, what: &str, class: Option<&str>, label: &str, shown: bool| {
        html! {
            form method="post" action=(format!("{address}/{what}")) data-ask=(part) hidden[!shown] {
                button type="submit" class=[class] { (label) }
            }
        }
    };
    let no_resume = process.filter(|_| live).and_then(|process| refuses_resume(process, run));
    let no_retry = |anew| process.and_then(|process| refuses_retry(process, run, anew));
    let (no_retry, no_anew) = (no_retry(false), no_retry(true));
    // Instead of the button, and shown where the button would be.
    let why = |part: &str, action: &str, reason: Message, shown: bool| {
        let why = texts.say(&reason);
        let words = texts.with("action.impossible", &[("action", action), ("reason", &why)]);
        html! { p data-ask=(part) hidden[!shown] { (words) } }
    };
    let resume = texts.text("action.resume");
    let retry = retry(texts, run, live && resumable);
    html! {
        div.actions slot="actions" {
            @if live && rights.control {
                (ask("pause", "pause", None, texts.text("action.pause"), waits && !paused))
                @match &no_resume {
                    None => (ask("resume", "resume", Some("primary"), resume, paused)),
                    Some(refusal) => (why("resume", resume, refusal.message(), paused)),
                }
                form method="post" action=(format!("{address}/cancel")) data-part="cancel" {
                    button type="submit" disabled[cancelling] {
                        (texts.text(if cancelling { "action.cancelling" } else { "action.cancel" }))
                    }
                }
                (ask("force", "cancel?force=yes", Some("danger"), texts.text("action.force"), cancelling || run.stalled))
            }
            @if process.is_none() && failed && rights.control && rights.start {
                (why("retry", &retry, Message::new("refused.no_process"), true))
            }
            @if let Some(process) = process {
                @if rights.control && rights.start {
                    @match &no_retry {
                        None => (ask("retry", "retry", Some("primary"), &retry, failed)),
                        Some(refusal) => @if run.status != RunStatus::Succeeded {
                            (why("retry", &retry, refusal.message(), failed))
                        },
                    }
                    // Without a cursor, the plain retry already starts over.
                    @if no_anew.is_none() && (live && resumable || run.bookkeeping.cursor.is_some()) {
                        (ask("anew", "retry?from=start", None, texts.text("action.start_over"), failed))
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

/// True if the run can be paused while it executes: a body that was called without a cursor cannot.
pub(super) fn may_pause(process: &Process, run: &Run) -> bool {
    process.is_resumable() && run.bookkeeping.resumable != Some(false)
}

/// The label of a retry: it resumes from the cursor if there is one. A run that `may_save` can still get one.
pub(super) fn retry(texts: &Texts, run: &Run, may_save: bool) -> String {
    let percent = |cursor: &SavedCursor| cursor.facts.as_ref().and_then(|facts| facts.percent);
    match &run.bookkeeping.cursor {
        Some(cursor) => match percent(cursor) {
            Some(percent) => texts.with("action.resume_from", &[("percent", &texts.percent(percent))]),
            None => texts.text("action.resume").to_owned(),
        },
        None => texts.text(if may_save { "action.resume" } else { "action.start_over" }).to_owned(),
    }
}

/// A link to the form of the process, which the server fills in with the inputs of this run. They are not part of the
/// address, which others may see, and which has a limit.
fn again(shell: &Shell<'_>, process: &Process, run: &Run) -> String {
    let from = from_name(&process.fields());
    format!("{}?{from}={}", shell.process(&process.route()), run.id)
}
