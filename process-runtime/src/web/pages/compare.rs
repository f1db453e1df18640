//! The page that compares a run with another run of its process: inputs, course and results.

use maud::{Markup, html};
use serde_json::Value;

use super::{Content, Shell, values, words};
use crate::layout::PageKind;
use crate::process::Process;
use crate::run::Run;

/// One property of both runs; `None` where a run does not have it.
struct Row {
    label: String,
    values: [Option<Markup>; 2],
}

impl Row {
    fn differs(&self) -> bool {
        let [this, other] = &self.values;
        this.as_ref().map(|one| &one.0) != other.as_ref().map(|one| &one.0)
    }
}

/// The comparison with `other`, which is `None` if there is nothing to compare with.
pub(in crate::web) fn compare(
    shell: &Shell<'_>,
    process: Option<&Process>,
    run: &Run,
    other: Option<&Run>,
) -> Content {
    let texts = shell.texts;
    let of_other = |other: &Run| match other.created_at > run.created_at {
        true => "compare.later",
        false => "compare.other",
    };
    let title = texts.with("page.compare_of", &[("title", &run.progress.title)]);
    let markup = html! {
        nav.path aria-label=(texts.text("page.path")) {
            a href=(shell.run(run.id)) dir="auto" { (run.progress.title) }
        }
        h1 { (texts.text("page.compare")) }
        @match other {
            None => p.soft { (texts.text("compare.none")) },
            Some(other) => {
                div.scroll role="region" aria-label=(texts.text("value.table")) tabindex="0" {
                    table.compare {
                        thead {
                            tr {
                                td {}
                                @for (one, key) in [(run, "compare.this"), (other, of_other(other))] {
                                    th scope="col" {
                                        a href=(shell.run(one.id)) { (texts.text(key)) } " "
                                        span.soft { (words::moment(one.created_at)) }
                                    }
                                }
                            }
                        }
                        tbody {
                            @for row in rows(shell, process, [run, other]) {
                                tr data-differs[row.differs()] {
                                    th scope="row" dir="auto" {
                                        (row.label)
                                        @if row.differs() { span.unseen { " " (texts.text("compare.differs")) } }
                                    }
                                    @for value in &row.values { td { @match value { Some(value) => (value), None => span.soft { "—" } } } }
                                }
                            }
                        }
                    }
                }
            }
        }
    };
    Content { has_token: false, kind: PageKind::Compare, title, markup }
}

fn rows(shell: &Shell<'_>, process: Option<&Process>, runs: [&Run; 2]) -> Vec<Row> {
    let texts = shell.texts;
    let both = |of: &dyn Fn(&Run) -> Markup| runs.map(|run| Some(of(run)));
    let mut rows = vec![
        Row { label: texts.text("history.status").to_owned(), values: both(&|run| words::badge(texts, run)) },
        Row { label: texts.text("run.took").to_owned(), values: both(&|run| words::elapsed(texts, run)) },
    ];
    if runs.iter().any(|run| run.progress.warnings > 0) {
        let count = |run: &Run| html! { (texts.whole(run.progress.warnings)) };
        rows.push(Row { label: texts.text("compare.warnings").to_owned(), values: both(&count) });
    }
    let counts = runs.map(|run| run.progress.counts.iter().collect::<Vec<_>>());
    for name in union(counts.each_ref().map(|counts| counts.iter().map(|(name, _)| *name))) {
        let values = counts.each_ref().map(|counts| {
            let found = counts.iter().find(|(known, _)| *known == name);
            found.map(|(_, count)| html! { (texts.whole(*count)) })
        });
        rows.push(Row { label: name.to_owned(), values });
    }
    let fields = process.map(Process::fields).unwrap_or_default();
    for name in union(runs.map(|run| run.input.keys().map(String::as_str))) {
        let known = fields.iter().find(|field| field.name == name);
        let label = known.map_or_else(|| values::label(texts, name), |field| field.label.clone());
        rows.push(Row {
            label,
            values: runs.map(|run| run.input.get(name).map(|value| values::value(texts, value))),
        });
    }
    let results = runs.map(|run| run.result.as_ref().and_then(Value::as_object));
    for name in
        union(results.map(|result| result.into_iter().flat_map(|result| result.keys().map(String::as_str))))
    {
        let values = results.map(|result| result?.get(name).map(|value| values::value(texts, value)));
        rows.push(Row { label: values::label(texts, name), values });
    }
    rows
}

/// Every name in either list, once, in order of first use.
fn union<'a, I: Iterator<Item = &'a str>>(lists: [I; 2]) -> Vec<&'a str> {
    let mut names = Vec::new();
    for name in lists.into_iter().flatten() {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
