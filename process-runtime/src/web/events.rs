//! Owns the routes of streams: of one run, and of many at once.
//! Refuses to know what is in a stream and how it is sent.

use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};

use super::messages::{Format, messages};
use super::respond::{Context, Problem, query};
use super::stream::{last_seen, stream};
use super::watching::Watched;
use crate::processes::Processes;
use crate::run::RunId;
use crate::store::StoreError;
use crate::texts::Message;
use crate::wire::Position;

/// How many runs one stream may have.
const MOST: usize = 100;

/// `GET /runs/{id}/events`
pub(super) async fn of_run(
    State(processes): State<Processes>,
    Path(id): Path<String>,
    context: Context,
    request: Request,
) -> Response {
    let Ok(id) = id.parse() else { return Problem::not_found().respond(&context) };
    let (parts, _) = request.into_parts();
    match Format::asked(&parts.uri) {
        Ok(Format::Events) => answer(&processes, &[(id, true)], context, &parts).await,
        Ok(Format::Messages) => of_run_in_messages(&processes, id, &context, &parts).await,
        Err(problem) => problem.respond(&context),
    }
}

/// `GET /events?run={id}&run={id}&bar={id}`
pub(super) async fn of_many(
    State(processes): State<Processes>,
    context: Context,
    request: Request,
) -> Response {
    let (parts, _) = request.into_parts();
    let refused = |detail: Message| Problem::new(StatusCode::BAD_REQUEST, detail).respond(&context);
    let asked = match asked(&parts.uri) {
        Ok(asked) => asked,
        Err(wrong) => return refused(wrong),
    };
    match (Format::asked(&parts.uri), &asked[..]) {
        (Ok(Format::Events), asked) => answer(&processes, asked, context, &parts).await,
        (Ok(Format::Messages), [(id, true)]) => of_run_in_messages(&processes, *id, &context, &parts).await,
        (Ok(Format::Messages), _) => refused(Message::new("problem.one_run")),
        (Err(problem), _) => problem.respond(&context),
    }
}

async fn of_run_in_messages(
    processes: &Processes,
    id: RunId,
    context: &Context,
    request: &Parts,
) -> Response {
    let Parts { headers, uri, method, .. } = request;
    match processes.feeds().open(id).await {
        Ok(Some(feed)) => {
            if let Some(over) = Format::Messages.over(headers, uri) {
                return over;
            }
            match context.ticket([id]) {
                Ok(ticket) => messages(context, ticket, feed, headers, uri, method),
                Err(crowded) => Problem::of_crowd(crowded).respond(context),
            }
        }
        Ok(None) => Problem::not_found().respond(context),
        Err(error) => Problem::of_store(&error).respond(context),
    }
}

/// The runs that are asked for, each once, and whether with their log.
fn asked(uri: &Uri) -> Result<Vec<(RunId, bool)>, Message> {
    let mut asked: Vec<(RunId, bool)> = Vec::new();
    for (name, id) in query(uri).filter(|(name, _)| name == "run" || name == "bar") {
        let Ok(id) = id.parse() else {
            let wrong = Message::new("problem.no_run").with("given", format!("{name}={id}"));
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
) -> Response {
    let last = last_seen(&request.headers, &request.uri);
    let watched = match find(processes, asked, &last).await {
        Ok(watched) => watched,
        Err(error) => return Problem::of_store(&error).respond(&context),
    };
    if watched.iter().all(|watched| matches!(watched, Watched::Gone(_))) {
        return Problem::not_found().respond(&context);
    }
    // Who has seen the end, and comes back, is told to stay away: a 204 ends an EventSource.
    if has_seen_all(&watched, asked, &last) {
        return StatusCode::NO_CONTENT.into_response();
    }
    match context.ticket(asked.iter().map(|(id, _)| *id)) {
        Ok(ticket) => stream(&context, ticket, watched, &request.method).await,
        Err(crowded) => Problem::of_crowd(crowded).respond(&context),
    }
}

async fn find(
    processes: &Processes,
    asked: &[(RunId, bool)],
    last: &[Position],
) -> Result<Vec<Watched>, StoreError> {
    let mut watched = Vec::with_capacity(asked.len());
    for (id, with_lines) in asked {
        watched.push(match processes.feeds().open(*id).await? {
            Some(feed) if *with_lines => Watched::run(feed, last),
            Some(feed) => Watched::Bar { feed },
            None => Watched::Gone(*id),
        });
    }
    Ok(watched)
}

fn has_seen_all(watched: &[Watched], asked: &[(RunId, bool)], last: &[Position]) -> bool {
    let over = |watched: &Watched| match watched {
        Watched::Run { feed, .. } | Watched::Bar { feed } => feed.run().status.is_terminal(),
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
    fn runs_are_asked_for_with_their_log_or_without_and_each_once() {
        let (one, other) = (RunId::new(), RunId::new());
        let asked = of(&format!("/events?run={one}&bar={other}&bar={one}&last=x")).unwrap();
        assert_eq!(asked, [(one, true), (other, false)]);
    }

    #[test]
    fn what_names_no_run_is_named() {
        assert!(of("/events").unwrap_err().contains("run={id}"));
        assert!(of("/events?run=12").unwrap_err().contains("\"run=12\""));
        let many: String = (0..=MOST).map(|_| format!("run={}&", RunId::new())).collect();
        assert!(of(&format!("/events?{many}")).unwrap_err().contains("100"));
    }
}
