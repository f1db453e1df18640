//! The route of the history: parses the filter, and lists the matching runs page by page.

use axum::http::{StatusCode, Uri};
use axum::response::Response;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::process::Process;
use crate::run::{RunId, RunStatus};
use crate::store::{RunFilter, RunPosition, RunSlice};
use crate::texts::Message;
use crate::web::pages;
use crate::web::request::context::Context;
use crate::web::request::json::{json as json_of, run_json};
use crate::web::request::position;
use crate::web::request::problem::Problem;
use crate::web::request::query::{MAX_SOUGHT, query, too_long};

/// How many runs a page lists.
const PAGE: usize = 50;

/// `GET /runs?process=&status=&actor=&from=&until=&q=&failed_items=&before=`
pub(in crate::web) async fn history(context: Context, uri: Uri) -> Result<Response, Response> {
    let asked =
        asked(&uri).map_err(|detail| Problem::new(StatusCode::BAD_REQUEST, detail).respond(&context))?;
    // Before anything is read, so that a rejected request costs next to nothing.
    let picks = asked.filter.contains.is_some();
    let Ok(_search) = picks.then(|| context.processes.searches().try_acquire()).transpose() else {
        return Err(Problem::later("problem.busy").respond(&context));
    };
    let processes = context.all_processes().await?;
    let hidden = |process: &&Process| !processes.iter().any(|seen| std::ptr::eq(*seen, *process));
    let hidden = context.processes.registry().iter().filter(|process| hidden(process));
    let except = hidden.map(Process::route).collect();
    let filter = RunFilter { except, ..asked.filter.clone() };
    let RunSlice { mut runs, next } = match asked.run {
        Some(id) => one(&context, id, &filter).await?,
        None => context.run_slice(filter.clone()).await?,
    };
    // Reading may also end before a page is full.
    let is_cut = runs.len() <= PAGE && next.is_some();
    runs.truncate(PAGE);
    let next = if is_cut { next } else { next.and(runs.last()).map(RunPosition::of) };
    let counts = match asked.run {
        Some(_) => None,
        None => Some(context.count_runs(filter).await?),
    };
    let rights = context.rights_of(&runs).await?;
    let Asked { filter, from, until, sought, .. } = &asked;
    let history = pages::History {
        runs: &runs,
        filter,
        from,
        until,
        sought,
        next,
        is_cut,
        counts: counts.as_ref(),
        at: Timestamp::now(),
        processes: &processes,
    };
    let shell = context.shell();
    let data = || {
        let rows = runs.iter().zip(&rights).map(|(run, rights)| {
            let mut row = run_json(&context.base, run, *rights);
            let process = processes.iter().find(|process| process.route() == run.process);
            row["process_title"] = process.map(|process| process.title).into();
            row["summary"] = pages::summary(shell.texts, process.copied(), run).into();
            row
        });
        json!({
            "runs": rows.collect::<Vec<_>>(),
            "has_more": next.is_some(),
            "next": next.map(|next| pages::older(&shell, &history, next)),
            "searched_until": next.filter(|_| is_cut).map(|next| next.created_at),
            "counts": counts.as_ref().map(|counts| {
                let count = |status: &RunStatus| (status.as_str().to_owned(), Value::from(counts.of(*status)));
                let mut counted: Value = RunStatus::ALL.iter().map(count).collect::<serde_json::Map<_, _>>().into();
                counted["is_complete"] = counts.is_complete.into();
                counted
            }),
        })
    };
    if !context.page {
        return Ok(json_of(StatusCode::OK, &data()));
    }
    Ok(context.show(StatusCode::OK, &pages::history(&shell, &history), data))
}

/// The run with this id, if it matches and can be viewed.
async fn one(context: &Context, id: RunId, filter: &RunFilter) -> Result<RunSlice, Response> {
    let found = context.processes.store().run(id).await;
    let found = found.map_err(|error| Problem::of_store(&error).respond(context))?;
    let found = match found.filter(|run| filter.matches(run)) {
        Some(run) if context.sees(&run).await? => vec![run],
        _ => Vec::new(),
    };
    Ok(RunSlice { runs: found, next: None })
}

/// The parsed query.
struct Asked {
    filter: RunFilter,
    /// The run whose id was entered as the text to search for.
    run: Option<RunId>,
    /// As it was entered, to be shown again.
    from: String,
    until: String,
    sought: String,
}

/// Parses a query. An empty input, such as a select at "all", is ignored.
fn asked(uri: &Uri) -> Result<Asked, Message> {
    let filter = RunFilter { limit: PAGE + 1, ..RunFilter::default() };
    let [from, until, sought] = [const { String::new() }; 3];
    let mut asked = Asked { filter, run: None, from, until, sought };
    let filter = &mut asked.filter;
    for (name, value) in query(uri).filter(|(_, value)| !value.is_empty()) {
        match &*name {
            "process" | "actor" | "from" | "until" | "q" if value.len() > MAX_SOUGHT => {
                return Err(too_long(&name));
            }
            "process" => filter.process = Some(value.into_owned()),
            "actor" => filter.actor = Some(value.into_owned()),
            "status" => {
                for status in value.split(',') {
                    let status: RunStatus = status.trim().parse().map_err(|_| no_status())?;
                    if !filter.statuses.contains(&status) {
                        filter.statuses.push(status);
                    }
                }
            }
            "from" => {
                filter.from = Some(moment(&value, Edge::Begin).ok_or_else(|| not_a_moment("from"))?);
                asked.from = value.into_owned();
            }
            "until" => {
                filter.until = Some(moment(&value, Edge::End).ok_or_else(|| not_a_moment("until"))?);
                asked.until = value.into_owned();
            }
            "q" => asked.sought = value.into_owned(),
            "failed_items" => {
                filter.failed_items = value.parse().map_err(|_| Message::new("problem.failed_items"))?;
            }
            "before" => {
                let before = position::read(&value).ok_or_else(|| Message::new("problem.before"))?;
                filter.after = Some(before);
            }
            _ => {}
        }
    }
    let sought = asked.sought.trim();
    let number = sought.strip_prefix('#').and_then(|number| number.parse().ok());
    asked.run = sought.parse().ok();
    (filter.number, filter.contains) = match (asked.run, number) {
        (Some(_), _) => (None, None),
        (None, Some(number)) => (Some(number), None),
        (None, None) => (None, Some(sought.to_owned()).filter(|sought| !sought.is_empty())),
    };
    Ok(asked)
}

/// Which end of a day is meant.
enum Edge {
    Begin,
    End,
}

/// A time stamp, or a day in UTC.
fn moment(text: &str, edge: Edge) -> Option<Timestamp> {
    // Only text of this length is a date: the parser would accept a time stamp, too, and drop its time.
    if text.len() != "2026-11-21".len() {
        return text.parse().ok();
    }
    let day: Date = text.parse().ok()?;
    let begin = |day: Date| Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp());
    match edge {
        Edge::Begin => begin(day),
        // The last representable day ends with the last representable time.
        Edge::End => Some(day.tomorrow().ok().and_then(begin).unwrap_or(Timestamp::MAX)),
    }
}

fn not_a_moment(name: &str) -> Message {
    Message::new("problem.moment").with("name", name)
}

fn no_status() -> Message {
    let known: Vec<_> = RunStatus::ALL.iter().map(|status| status.as_str()).collect();
    Message::new("problem.status").with("known", known.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn date_filter_has_begin_and_end() {
        let begin = |text| moment(text, Edge::Begin).map(|at| at.to_string());
        let end = |text| moment(text, Edge::End).map(|at| at.to_string());
        assert_eq!(begin("2026-11-21").as_deref(), Some("2026-11-21T00:00:00Z"));
        assert_eq!(end("2026-11-21").as_deref(), Some("2026-11-22T00:00:00Z"));
        assert_eq!(end("2026-11-21T10:00:00+01:00").as_deref(), Some("2026-11-21T09:00:00Z"));
        assert!(end("9999-12-31").is_some());
        for text in ["2026-11-31", "21.11.2026", "2026-11-21T10:00", "yesterday", "2026-11-2", "aaaaaaaaaa"] {
            assert_eq!(begin(text), None, "{text}");
        }
    }
}
