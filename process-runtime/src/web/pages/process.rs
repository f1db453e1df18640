//! Owns the page of one process: its description, its form, its active run and its latest ones.
//! Refuses to know how values are checked; it shows what was found.

use maud::{Markup, html};
use serde_json::Value;

use super::history::table;
use super::panel::{Heading, panel};
use super::shell::page;
use super::words::{paragraphs, prose};
use super::{FormState, LogTail, Shell};
use crate::field::FieldKind;
use crate::parameter::FieldInfo;
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
    let content = html! {
        @if let Some(group) = process.group { p.path { (group) } }
        h1 { (process.title) }
        (description(process.description))
        @if let Some((run, _)) = active {
            p { a href=(format!("#title-{}", run.id)) { "A run is active" } }
        }
        (problems(&fields, form))
        div.split[active.is_none()] {
            form.start method="post" action=(shell.start(&process.route())) data-start {
                input type="hidden" name="idempotency_key" value=(form.key) autocomplete="off";
                @for field in &fields { (input(field, form)) }
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
                        @match fields.iter().find(|field| field.name == error.field) {
                            Some(field) => li {
                                a href=(format!("#{}", id(field))) { (field.label) ": " (error.message) }
                            },
                            None => li { (error) },
                        }
                    }
                }
            }
        }
    }
}

fn id(field: &FieldInfo) -> String {
    format!("field-{}", field.name)
}

fn input(field: &FieldInfo, form: &FormState<'_>) -> Markup {
    let id = id(field);
    let error = form.errors.iter().find(|error| error.field == field.name);
    let given = form.values.get(field.name).or(field.default.as_ref()).unwrap_or(&Value::Null);
    let help = field.help.map(|_| format!("{id}-help"));
    let wrong = error.map(|_| format!("{id}-error"));
    let described: Vec<String> = [&help, &wrong].into_iter().flatten().cloned().collect();
    let described = (!described.is_empty()).then(|| described.join(" "));
    let invalid = error.map(|_| "true");
    let optional = matches!(field.default, Some(Value::Null)) && field.kind != FieldKind::Checkbox;
    html! {
        div.field {
            @match field.kind {
                FieldKind::Checkbox => {
                    // A box that is not ticked sends nothing; this says "no" then. The later value counts.
                    input type="hidden" name=(field.name) value="off";
                    label.tick {
                        input id=(id) name=(field.name) type="checkbox" value="on" checked[ticked(given)]
                            aria-invalid=[invalid] aria-describedby=[&described];
                        (field.label)
                    }
                }
                FieldKind::Text => {
                    (label(&id, field, optional))
                    input id=(id) name=(field.name) type="text" value=(text(given))
                        aria-invalid=[invalid] aria-describedby=[&described];
                }
                FieldKind::Number { integer } => {
                    @let text = text(given);
                    // A number input would drop what is not a number; it is kept, to be corrected.
                    @let readable = text.is_empty() || text.trim().parse::<f64>().is_ok_and(f64::is_finite);
                    (label(&id, field, optional))
                    input id=(id) name=(field.name) type=(if readable { "number" } else { "text" })
                        value=(text) required[field.default.is_none()]
                        step=(if integer { "1" } else { "any" })
                        inputmode=(if integer { "numeric" } else { "decimal" })
                        aria-invalid=[invalid] aria-describedby=[&described];
                }
            }
            @if let (Some(text), Some(id)) = (field.help, &help) { p.soft id=(id) { (text) } }
            @if let (Some(error), Some(id)) = (error, &wrong) { p.wrong id=(id) { (error.message) } }
        }
    }
}

fn label(id: &str, field: &FieldInfo, optional: bool) -> Markup {
    html! {
        label for=(id) { (field.label) @if optional { " " span.soft { "(optional)" } } }
    }
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn ticked(value: &Value) -> bool {
    match value {
        Value::Bool(on) => *on,
        Value::String(text) => matches!(text.as_str(), "on" | "true" | "1" | "yes"),
        _ => false,
    }
}
