//! The route of the history: parses the filter, and lists the matching runs page by page.

use axum::http::{StatusCode, Uri};
use axum::response::Response;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::json;

use crate::process::Process;
use crate::run::RunStatus;
use crate::store::RunFilter;
use crate::texts::Message;
use crate::web::pages;
use crate::web::request::context::Context;
use crate::web::request::json::{json as json_of, run_json};
use crate::web::request::problem::Problem;
use crate::web::request::query::{MAX_SOUGHT, query, too_long};

/// How many runs a page lists.
const PAGE: usize = 50;

/// `GET /runs?process=&status=&actor=&from=&until=&page=`
pub(in crate::web) async fn history(context: Context, uri: Uri) -> Result<Response, Response> {
    let processes = context.all_processes().await?;
    let asked =
        asked(&uri).map_err(|detail| Problem::new(StatusCode::BAD_REQUEST, detail).respond(&context))?;
    let hidden = |process: &&Process| !processes.iter().any(|seen| std::ptr::eq(*seen, *process));
    let hidden = context.processes.registry().iter().filter(|process| hidden(process));
    let except = hidden.map(Process::route).collect();
    let mut runs = context.runs(RunFilter { except, ..asked.filter.clone() }).await?;
    let page = asked.page;
    let has_more = runs.len() > PAGE;
    runs.truncate(PAGE);
    let rights = context.rights_of(&runs).await?;
    let data = || {
        let runs = runs.iter().zip(&rights).map(|(run, rights)| run_json(&context.base, run, *rights));
        let runs: Vec<_> = runs.collect();
        json!({ "runs": runs, "page": page, "has_more": has_more })
    };
    if !context.page {
        return Ok(json_of(StatusCode::OK, &data()));
    }
    let Asked { filter, from, until, .. } = &asked;
    let history = pages::History { runs: &runs, page, has_more, filter, from, until, processes: &processes };
    Ok(context.show(StatusCode::OK, &pages::history(&context.shell(), &history), data))
}

/// The parsed query.
struct Asked {
    filter: RunFilter,
    /// As it was entered, to be shown again.
    from: String,
    until: String,
    page: usize,
}

/// Parses a query. An empty input, such as a select at "all", is ignored.
fn asked(uri: &Uri) -> Result<Asked, Message> {
    let filter = RunFilter { limit: PAGE + 1, ..RunFilter::default() };
    let mut asked = Asked { filter, from: String::new(), until: String::new(), page: 1 };
    let filter = &mut asked.filter;
    for (name, value) in query(uri).filter(|(_, value)| !value.is_empty()) {
        match &*name {
            "process" | "actor" | "from" | "until" if value.len() > MAX_SOUGHT => {
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
            "page" => match value.parse() {
                Ok(page @ 1..=1_000_000) => asked.page = page,
                _ => return Err("problem.page".into()),
            },
            _ => {}
        }
    }
    filter.skip = (asked.page - 1) * PAGE;
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
