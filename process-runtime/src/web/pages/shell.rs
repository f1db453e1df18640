//! Owns the frame of every page: head, navigation, main. Also the page of a request that went wrong.
//! Refuses to know what a page is about.

use maud::{DOCTYPE, Markup, html};

use super::Shell;

/// A filling bar, so that a browser asks for no `/favicon.ico`.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E\
                    %3Crect y='5' width='16' height='6' rx='3' fill='%23999'/%3E\
                    %3Crect y='5' width='10' height='6' rx='3' fill='%232563c9'/%3E%3C/svg%3E";

/// A whole page around its content.
pub(super) fn page(shell: &Shell<'_>, title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="icon" href=(ICON);
                link rel="stylesheet" href=(shell.asset(shell.css));
                script type="module" src=(shell.asset(shell.js)) {}
            }
            body {
                a.skip href="#main" { "Skip to content" }
                header.top {
                    nav aria-label="Main" {
                        a.home href=(shell.home()) { "Processes" }
                        a href=(shell.history()) { "History" }
                    }
                }
                main #main { (content) }
            }
        }
    }
}

/// What a person sees instead of the page they asked for.
pub(in crate::web) fn problem(shell: &Shell<'_>, status: u16, title: &str, detail: &str) -> Markup {
    let content = html! {
        section.problem {
            p.soft { "Error " (status) }
            h1 { (title) }
            p { (detail) }
            p { a href=(shell.home()) { "All processes" } }
        }
    };
    page(shell, title, &content)
}
