//! The default frame of a page: head, navigation, main. Also the page of an error.

use maud::{DOCTYPE, Markup, html};

use super::{Content, Shell};
use crate::branding::Brand;
use crate::field::{FieldError, FieldErrors};
use crate::layout::PageKind;
use crate::texts::{Message, Texts};

/// A progress bar as a data URL, so that browsers do not request `/favicon.ico`.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E\
                    %3Crect y='5' width='16' height='6' rx='3' fill='%23999'/%3E\
                    %3Crect y='5' width='10' height='6' rx='3' fill='%232563c9'/%3E%3C/svg%3E";

/// What the content of a page needs in the head.
pub(in crate::web) fn head(shell: &Shell<'_>, kind: PageKind) -> Markup {
    let beside = match kind {
        PageKind::Index | PageKind::Process | PageKind::History => Some(shell.starting),
        PageKind::Run => Some(shell.watching),
        _ => None,
    };
    html! {
        @match shell.logo {
            Some(logo) => link rel="icon" href=(shell.asset(logo));,
            None => link rel="icon" href=(ICON) data-progress;,
        }
        link rel="stylesheet" href=(shell.asset(shell.css)) data-process;
        script type="module" src=(shell.asset(shell.js)) {}
        @if let Some(name) = beside { script type="module" src=(shell.asset(name)) {} }
    }
}

/// A whole page around its content.
pub(in crate::web) fn frame(shell: &Shell<'_>, content: &Content) -> Markup {
    let (texts, brand) = (shell.texts, shell.brand);
    let home = brand.home.as_ref();
    html! {
        (DOCTYPE)
        html lang=(texts.tag()) dir=(texts.direction()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (window_title(brand, content)) }
                (head(shell, content.kind))
            }
            body {
                a.skip href="#main" { (texts.text("page.skip")) }
                header.top {
                    nav aria-label=(texts.text("page.main")) {
                        a.home href=(home.unwrap_or(&shell.home())) {
                            @if let Some(logo) = shell.logo { img src=(shell.asset(logo)) alt=""; }
                            @match &brand.title {
                                Some(title) => bdi { (title) },
                                None => (texts.text("page.processes")),
                            }
                        }
                        @if home.is_some() { a href=(shell.home()) { (texts.text("page.processes")) } }
                        a href=(shell.history()) { (texts.text("page.history")) }
                    }
                }
                main #main { (content.markup) }
            }
        }
    }
}

/// The page's title before the application's. The script updates the title of a run's page, which does not contain the
/// application's.
fn window_title(brand: &Brand, content: &Content) -> String {
    match &brand.title {
        Some(title) if content.kind != PageKind::Run => format!("{} · {title}", content.title),
        _ => content.title.clone(),
    }
}

/// An error, after the label of its field.
pub(super) fn error_at(texts: &Texts, field: &str, error: &FieldError) -> String {
    match field {
        "" => error.said(texts).into_owned(),
        field => texts.with("form.error", &[("field", field), ("error", &error.said(texts))]),
    }
}

/// The page of an error.
pub(in crate::web) fn problem(
    shell: &Shell<'_>,
    status: u16,
    detail: &Message,
    errors: &FieldErrors,
) -> Content {
    let texts = shell.texts;
    let key = format!("http.{status}");
    let title = texts.text(&key);
    let markup = html! {
        section.problem {
            p.soft { (texts.with("page.error", &[("status", &status.to_string())])) }
            h1 { (title) }
            p { (texts.say(detail)) }
            @if !errors.is_empty() {
                ul { @for error in errors { li dir="auto" { (error_at(texts, &error.field, error)) } } }
                @if let Some(more) = errors.not_shown() { p { (texts.say(&more)) } }
            }
            p { a href=(shell.home()) { (texts.text("page.all_processes")) } }
        }
    };
    Content { has_token: false, kind: PageKind::Problem, title: title.to_owned(), markup }
}
