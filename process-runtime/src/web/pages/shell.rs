//! Owns the frame of every page: head, navigation, main. Also the page of a request that went wrong.
//! Refuses to know what a page is about.

use maud::{DOCTYPE, Markup, html};

use super::Shell;
use crate::field::{FieldError, FieldErrors};
use crate::texts::{Message, Texts};

/// How many errors the page of a request that went wrong lists.
const ERRORS: usize = 20;

/// A filling bar, so that a browser asks for no `/favicon.ico`.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E\
                    %3Crect y='5' width='16' height='6' rx='3' fill='%23999'/%3E\
                    %3Crect y='5' width='10' height='6' rx='3' fill='%232563c9'/%3E%3C/svg%3E";

/// A whole page around its content.
pub(super) fn page(shell: &Shell<'_>, title: &str, content: &Markup) -> Markup {
    let texts = shell.texts;
    html! {
        (DOCTYPE)
        html lang=(texts.tag()) dir=(texts.direction()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="icon" href=(ICON) data-progress;
                link rel="stylesheet" href=(shell.asset(shell.css)) data-process;
                script type="module" src=(shell.asset(shell.js)) {}
            }
            body {
                a.skip href="#main" { (texts.text("page.skip")) }
                header.top {
                    nav aria-label=(texts.text("page.main")) {
                        a.home href=(shell.home()) { (texts.text("page.processes")) }
                        a href=(shell.history()) { (texts.text("page.history")) }
                    }
                }
                main #main { (content) }
            }
        }
    }
}

/// What is wrong, after the name of the field it is about.
pub(super) fn error_at(texts: &Texts, field: &str, error: &FieldError) -> String {
    match field {
        "" => error.said(texts).into_owned(),
        field => texts.with("form.error", &[("field", field), ("error", &error.said(texts))]),
    }
}

/// What a person sees instead of the page they asked for.
pub(in crate::web) fn problem(
    shell: &Shell<'_>,
    status: u16,
    detail: &Message,
    errors: &FieldErrors,
) -> Markup {
    let texts = shell.texts;
    let key = format!("http.{status}");
    let title = texts.text(&key);
    let content = html! {
        section.problem {
            p.soft { (texts.with("page.error", &[("status", &status.to_string())])) }
            h1 { (title) }
            p { (texts.say(detail)) }
            @if !errors.is_empty() {
                ul { @for error in errors.iter().take(ERRORS) { li dir="auto" { (error_at(texts, &error.field, error)) } } }
            }
            p { a href=(shell.home()) { (texts.text("page.all_processes")) } }
        }
    };
    page(shell, title, &content)
}
