//! The routes of streams: of one run, and of many at once.

use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use crate::processes::Processes;
use crate::run::RunId;
use crate::texts::Message;
use crate::web::request::accept::prefers_json_to_stream;
use crate::web::request::context::Context;
use crate::web::request::problem::{Problem, excerpt};
use crate::web::request::query::query;
use crate::web::stream::messages::{Format, messages};
use crate::web::stream::pending::pending;
use crate::web::stream::response::{last_seen, stream};
use crate::web::stream::watching::Watched;
use crate::wire::Position;

/// The most runs of one stream.
const MOST: usize = 100;

/// `GET /runs/{id}/events`; to a client that prefers JSON, what a stream would bring at once.
pub(in crate::web) async fn of_run(
    State(processes): State<Processes>,
    Path(id): Path<String>,
    context: Context,
    request: Request,
) -> Result<Response, Response> {
    if let Some(refused) = context.refuses_site() {
        return Err(refused);
    }
    let Ok(id) = id.parse() else { return Err(context.nothing().await) };
    let (parts, _) = request.into_parts();
    match Format::asked(&parts.uri) {
        Ok(Format::Events) => answer(&processes, &[(id, true)], context, &parts).await,
        Ok(Format::Messages) => of_run_in_messages(&processes, id, &context, &parts).await,
        Err(problem) => Err(problem.respond(&context)),
    }
}

/// `GET /events?run={id}&run={id}&progress={id}`
pub(in crate::web) async fn of_many(
    State(processes): State<Processes>,
    context: Context,
    request: Request,
) -> Result<Response, Response> {
    if let Some(refused) = context.refuses_site() {
        return Err(refused);
    }
    let (parts, _) = request.into_parts();
    let refused = |detail: Message| Problem::new(StatusCode::BAD_REQUEST, detail).respond(&context);
    let asked = asked(&parts.uri).map_err(refused)?;
    match (Format::asked(&parts.uri), &asked[..]) {
        (Ok(Format::Events), asked) => answer(&processes, asked, context, &parts).await,
        (Ok(Format::Messages), [(id, true)]) => of_run_in_messages(&processes, *id, &context, &parts).await,
        (Ok(Format::Messages), _) => Err(refused(Message::new("problem.one_run"))),
        (Err(problem), _) => Err(problem.respond(&context)),
    }
}

async fn of_run_in_messages(
    processes: &Processes,
    id: RunId,
    context: &Context,
    request: &Parts,
) -> Result<Response, Response> {
    let Parts { headers, uri, method, .. } = request;
    let found = processes.feeds().open(id).await;
    let found = found.map_err(|error| Problem::of_store(&error).respond(context))?;
    let Some(feed) = found else { return Err(context.nothing().await) };
    let granted = context.watches(&feed).await?;
    if let Some(over) = Format::Messages.over(headers, uri) {
        return Ok(over);
    }
    let ticket = context.ticket([id], &granted).map_err(|problem| problem.respond(context))?;
    Ok(messages(processes, feed, (granted.grant, ticket), headers, uri, method))
}

/// The requested runs, each once, and whether with their log.
fn asked(uri: &Uri) -> Result<Vec<(RunId, bool)>, Message> {
    let mut asked: Vec<(RunId, bool)> = Vec::new();
    for (name, id) in query(uri).filter(|(name, _)| name == "run" || name == "progress") {
        let Ok(id) = id.parse() else {
            let given = format!("{name}={}", excerpt(&id));
            let wrong = Message::new("problem.no_run").with("given", given);
            return Err(wrong.with("example", format!("{name}={}", RunId::new())));
        };
        if asked.iter().all(|(known, _)| *known != id) {
            asked.push((id, name == "run"));
        }
        if asked.len() > MOST {
            return Err(Message::new("problem.runs").with("most", MOST));
        }
    }
    if asked.is_empty() {
        return Err("problem.runs_missing".into());
    }
    Ok(asked)
}

async fn answer(
    processes: &Processes,
    asked: &[(RunId, bool)],
    context: Context,
    request: &Parts,
) -> Result<Response, Response> {
    let last = last_seen(&request.headers, &request.uri);
    let watched = find(processes, asked, &context, &last).await?;
    // A client that has seen the end and reconnects gets a 204, which ends an EventSource.
    if has_seen_all(&watched, asked, &last) {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let found = watched.iter().filter_map(Watched::found);
    let (runs, granted): (Vec<_>, Vec<_>) = found.unzip();
    // One check covers all of them.
    let Some(granted) = granted.first() else { return Err(context.nothing().await) };
    let ticket = context.ticket(runs, granted).map_err(|problem| problem.respond(&context))?;
    if prefers_json_to_stream(&request.headers) {
        return Ok(pending(&context, ticket, watched, &request.method).await);
    }
    Ok(stream(&context, ticket, watched, &request.method).await)
}

/// The requested runs, or the response to send instead if there are none. A run that the visitor must not view is
/// treated as missing.
async fn find(
    processes: &Processes,
    asked: &[(RunId, bool)],
    context: &Context,
    last: &[Position],
) -> Result<Vec<Watched>, Response> {
    let mut watched = Vec::with_capacity(asked.len());
    let mut refused = None;
    for (id, with_lines) in asked {
        let found = processes.feeds().open(*id).await;
        let found = found.map_err(|error| Problem::of_store(&error).respond(context))?;
        let granted = match &found {
            Some(feed) => context.watches(feed).await,
            None => Err(context.nothing().await),
        };
        watched.push(match (found, granted) {
            (Some(feed), Ok(granted)) if *with_lines => Watched::run(feed, granted, last),
            (Some(feed), Ok(granted)) => Watched::Bar { feed, granted },
            (_, Err(response)) => {
                if response.status().is_server_error() {
                    return Err(response);
                }
                // If nothing else can be viewed, a visitor who has to sign in is told so.
                refused.get_or_insert(response);
                Watched::Gone(*id)
            }
            (None, Ok(_)) => Watched::Gone(*id),
        });
    }
    match refused {
        Some(refused) if watched.iter().all(|watched| matches!(watched, Watched::Gone(_))) => Err(refused),
        _ => Ok(watched),
    }
}

fn has_seen_all(watched: &[Watched], asked: &[(RunId, bool)], last: &[Position]) -> bool {
    let over = |watched: &Watched| match watched {
        Watched::Run { feed, .. } | Watched::Bar { feed, .. } => feed.run().status.is_terminal(),
        Watched::Gone(_) => true,
    };
    let all = Position::end_of(asked.iter().map(|(id, _)| *id));
    let seen = |id: RunId| last.iter().any(|last| last.ended && last.belongs_to(id));
    watched.iter().all(over) && (last.contains(&all) || asked.iter().all(|(id, _)| seen(*id)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Vec<(RunId, bool)>, String> {
        asked(&text.parse().unwrap()).map_err(|wrong| wrong.to_string())
    }

    #[test]
    fn query_selects_each_run_once() {
        let (one, other) = (RunId::new(), RunId::new());
        let asked = of(&format!("/events?run={one}&progress={other}&progress={one}&last=x")).unwrap();
        assert_eq!(asked, [(one, true), (other, false)]);
    }

    #[test]
    fn invalid_run_id_is_named() {
        assert!(of("/events").unwrap_err().contains("run={id}"));
        assert!(of("/events?run=12").unwrap_err().contains("\"run=12\""));
        let many: String = (0..=MOST).map(|_| format!("run={}&", RunId::new())).collect();
        assert!(of(&format!("/events?{many}")).unwrap_err().contains("100"));
    }
}
