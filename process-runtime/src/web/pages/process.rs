//! The page of one process: its description, its form, its active run and its recent runs.

use maud::{Markup, html};

use super::field::{FormContext, has_one_input, id};
use super::form;
use super::index::beside;
use super::panel::{Heading, panel};
use super::shell::error_at;
use super::table::{Table, table};
use super::words::{paragraphs, prose, schedule, unstarted};
use super::{Content, FormState, ProcessRuns, Shell};
use crate::field::{FieldInfo, Shape};
use crate::layout::PageKind;
use crate::process::Process;
use crate::texts::Texts;
use crate::web::request::form::{CONFIRMED, KEY};

/// The most runs that the page of a process lists.
pub(in crate::web) const RECENT: usize = 10;

/// The page of a process, without a form for those without permission to start it.
pub(in crate::web) fn process(
    shell: &Shell<'_>,
    process: &'static Process,
    form: Option<&FormState<'_>>,
    runs: &ProcessRuns<'_>,
) -> Content {
    let texts = shell.texts;
    let ProcessRuns { active, counts, recent, schedule_note } = *runs;
    let history = shell.history_of(&process.route());
    let beside = active.map_or_else(String::new, |shown| beside(texts, counts.beside(shown.run.status)));
    let rows = Table {
        runs: recent,
        processes: &[process],
        names_process: false,
        address: Some(&history),
        most: RECENT,
    };
    let markup = html! {
        @if let Some(group) = process.group { p.path dir="auto" { (group) } }
        h1 dir="auto" { (process.title) }
        (description(process.description))
        (schedule(texts, process))
        @if let Some(note) = schedule_note { (unstarted(texts, note)) }
        @if let Some(shown) = active {
            p {
                a href=(format!("#title-{}", shown.run.id)) { (texts.text("process.active")) } " "
                span.soft data-part="beside" { (beside) }
            }
        }
        @if let Some(form) = form {
            (problems(texts, &process.fields(), form))
            (question(texts, form))
        }
        div.split[active.is_none() && form.is_some()] {
            @if let Some(form) = form { (start(shell, process, form)) }
            @if let Some(shown) = active { (panel(shell, Heading::Section, shown)) }
            section {
                h2 { (texts.text("process.latest")) }
                p.note data-part="note" {}
                @if recent.is_empty() { p.soft data-part="none" { (texts.text("process.no_runs")) } }
                (table(shell, &rows))
                @if !recent.is_empty() { p { a href=(history) { (texts.text("index.all_runs")) } } }
            }
        }
    };
    let title = match form.is_none_or(|form| form.errors.is_empty()) {
        true => process.title.to_owned(),
        false => texts.with("page.wrong", &[("title", process.title)]),
    };
    Content { has_token: false, kind: PageKind::Process, title, markup }
}

fn start(shell: &Shell<'_>, process: &Process, form: &FormState<'_>) -> Markup {
    let (texts, fields) = (shell.texts, process.fields());
    let has_files = fields.iter().any(|field| field.shape.has_upload());
    html! {
        form.start #start method="post" action=(shell.start(&process.route())) data-start
            enctype=[has_files.then_some("multipart/form-data")] {
            input type="hidden" name=(KEY) value=(form.key) autocomplete="off";
            (form::fields("", &fields, form.values, FormContext::new(texts, form)))
            @if fields.is_empty() { p.soft { (texts.text("process.no_input")) } }
            p { button.primary type="submit" { (texts.text("action.start")) } }
        }
    }
}

/// A doc comment as paragraphs.
fn description(text: &str) -> Markup {
    html! { @for paragraph in paragraphs(text) { p.description dir="auto" { (prose(paragraph)) } } }
}

/// The errors of a form, each with a link to its field. The list gets the focus, so that screen readers read it first.
fn problems(texts: &Texts, fields: &[FieldInfo], form: &FormState<'_>) -> Markup {
    html! {
        @if !form.errors.is_empty() {
            div.failure role="alert" tabindex="-1" autofocus {
                h2 { (texts.text("process.not_started")) }
                ul {
                    @for error in form.errors {
                        @match found(fields, &error.field) {
                            Some(found) => li {
                                a href=(format!("#{}", id(found.field_path))) dir="auto" { (error_at(texts, &found.label, error)) }
                            },
                            None => li dir="auto" { (error_at(texts, &error.field, error)) },
                        }
                    }
                }
                @if let Some(more) = form.errors.not_shown() { p { (texts.say(&more)) } }
            }
        }
    }
}

/// The confirmation of a start. Without JavaScript, this is where the question is asked.
fn question(texts: &Texts, form: &FormState<'_>) -> Markup {
    html! {
        @if let Some(question) = form.question {
            section.question role="alert" tabindex="-1" autofocus {
                h2 dir="auto" { (question) }
                p { (texts.text("process.nothing_started")) }
                button.primary type="submit" form="start" name=(CONFIRMED) value="yes" { (texts.text("action.confirm")) }
            }
        }
    }
}

/// The field of an error: its label, and the name of its input.
struct LabelledPath<'a> {
    label: String,
    field_path: &'a str,
}

fn found<'a>(fields: &[FieldInfo], field_path: &'a str) -> Option<LabelledPath<'a>> {
    let (label, _) = at(fields, field_path)?;
    let outer = field_path.rsplit_once('.').map(|(outer, _)| outer);
    let whole = outer.filter(|outer| at(fields, outer).is_some_and(|(_, shape)| has_one_input(shape)));
    Some(LabelledPath { label, field_path: whole.unwrap_or(field_path) })
}

/// The label and the shape of the field at a path, with the groups and lists around it.
fn at<'a>(fields: &'a [FieldInfo], field_path: &str) -> Option<(String, &'a Shape)> {
    let (first, rest) = field_path.split_once('.').unwrap_or((field_path, ""));
    let field = fields.iter().find(|field| field.name == first)?;
    let (inner, shape) = inside(&field.shape, rest)?;
    Some((format!("{}{inner}", field.label), shape))
}

fn inside<'a>(shape: &'a Shape, field_path: &str) -> Option<(String, &'a Shape)> {
    match shape {
        _ if field_path.is_empty() => Some((String::new(), shape)),
        Shape::Group(fields) => at(fields, field_path).map(|(label, shape)| (format!(" › {label}"), shape)),
        Shape::List { item, .. } => {
            let (number, rest) = field_path.split_once('.').unwrap_or((field_path, ""));
            let number = number.parse::<usize>().ok()? + 1;
            let (inner, shape) = inside(item, rest)?;
            Some((format!(" {number}{inner}"), shape))
        }
        _ => None,
    }
}
