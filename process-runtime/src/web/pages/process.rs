//! Owns the page of one process: its description, its form, its active run and its latest ones.
//! Refuses to know how values are checked; it shows what was found.

use maud::{Markup, html};

use super::super::form::{CONFIRMED, KEY};
use super::form::id;
use super::history::table;
use super::panel::{Heading, panel};
use super::shell::page;
use super::words::{paragraphs, prose};
use super::{FormState, LogTail, Shell};
use crate::field::{FieldInfo, Shape};
use crate::process::Process;
use crate::run::Run;

/// The page of a process.
pub(in crate::web) fn process(
    shell: &Shell<'_>,
    process: &Process,
    form: &FormState<'_>,
    active: Option<(&Run, &LogTail)>,
    recent: &[Run],
) -> Markup {
    let fields = process.fields();
    let has_files = fields.iter().any(|field| field.shape.has_upload());
    let content = html! {
        @if let Some(group) = process.group { p.path { (group) } }
        h1 { (process.title) }
        (description(process.description))
        @if let Some((run, _)) = active {
            p { a href=(format!("#title-{}", run.id)) { "A run is active" } }
        }
        (problems(&fields, form))
        (question(form))
        div.split[active.is_none()] {
            form.start #start method="post" action=(shell.start(&process.route())) data-start
                enctype=[has_files.then_some("multipart/form-data")] data-confirm=[process.confirm] {
                input type="hidden" name=(KEY) value=(form.key) autocomplete="off";
                (super::form::fields("", &fields, form.values, form.errors))
                @if fields.is_empty() { p.soft { "It needs no input." } }
                button.primary type="submit" { "Start" }
            }
            @if let Some((run, log)) = active { (panel(shell, Heading::Section, Some(process), run, log)) }
            section {
                h2 { "Latest runs" }
                @if recent.is_empty() {
                    p.soft { "It has not run yet." }
                } @else {
                    (table(shell, recent, None))
                }
            }
        }
    };
    let prefix = if form.errors.is_empty() { "" } else { "Error: " };
    page(shell, &format!("{prefix}{}", process.title), &content)
}

/// A doc comment as paragraphs.
fn description(text: &str) -> Markup {
    html! { @for paragraph in paragraphs(text) { p.description { (prose(paragraph)) } } }
}

/// What was wrong, each with a link to its field. It gets the focus, so that it is read out first.
fn problems(fields: &[FieldInfo], form: &FormState<'_>) -> Markup {
    html! {
        @if !form.errors.is_empty() {
            div.failure role="alert" tabindex="-1" autofocus {
                h2 { "It was not started" }
                ul {
                    @for error in form.errors {
                        @match label_at(fields, &error.field) {
                            Some(label) => li {
                                a href=(format!("#{}", id(&error.field))) { (label) ": " (error.message) }
                            },
                            None => li { (error) },
                        }
                    }
                }
            }
        }
    }
}

/// What has to be answered before anything starts. Without a script this is how it is asked.
fn question(form: &FormState<'_>) -> Markup {
    html! {
        @if let Some(question) = form.question {
            section.question role="alert" tabindex="-1" autofocus {
                h2 { (question) }
                p { "Nothing was started yet." }
                button.primary type="submit" form="start" name=(CONFIRMED) value="yes" { "Yes, start it" }
            }
        }
    }
}

/// The fields at the places that errors name, with the groups and lists around them.
fn label_at(fields: &[FieldInfo], place: &str) -> Option<String> {
    let (first, rest) = place.split_once('.').unwrap_or((place, ""));
    let field = fields.iter().find(|field| field.name == first)?;
    let inner = inside(&field.shape, rest)?;
    Some(if inner.is_empty() { field.label.clone() } else { format!("{} {inner}", field.label) })
}

fn inside(shape: &Shape, place: &str) -> Option<String> {
    match shape {
        _ if place.is_empty() => Some(String::new()),
        Shape::Group(fields) => label_at(fields, place).map(|label| format!("› {label}")),
        Shape::List { item, .. } => {
            let (number, rest) = place.split_once('.').unwrap_or((place, ""));
            let number = number.parse::<usize>().ok()? + 1;
            let inner = inside(item, rest)?;
            Some(if inner.is_empty() { number.to_string() } else { format!("{number} {inner}") })
        }
        _ => None,
    }
}
