//! Owns links that show one run: how they are asked for, and how a browser keeps one.
//! Refuses to know how they are signed.

use std::borrow::Cow;
use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::http::header::{CACHE_CONTROL, COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::json;

use super::body::short;
use super::respond::{Context, Problem, json as json_of, query};
use super::runs::run_page;
use super::{front, pages};
use crate::access::{Action, Shared};
use crate::processes::Processes;
use crate::run::RunId;
use crate::text::OneLine;

/// What carries a token in an address.
const SHARE: &str = "share";
/// What a browser keeps tokens in, the newest first, with dots between.
const KEPT: &str = "process-share";
/// How many it keeps.
const MOST: usize = 10;
/// How long a link is valid unless something else is asked for.
const USUAL: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// How long the body of such a request may be.
const MAX_BODY: usize = 4096;

/// The runs that this request may see by a link.
pub(super) fn shared(processes: &Processes, parts: &Parts) -> Vec<Shared> {
    let Some(signer) = processes.signer() else { return Vec::new() };
    let reads = [Method::GET, Method::HEAD].contains(&parts.method);
    let asked = asked(&parts.uri).filter(|_| reads);
    let kept = kept(parts).map(Cow::Borrowed);
    asked.into_iter().chain(kept).filter_map(|token| signer.read(&token)).collect()
}

fn asked(uri: &Uri) -> Option<Cow<'_, str>> {
    query(uri).find(|(name, _)| name == SHARE).map(|(_, token)| token)
}

fn kept(parts: &Parts) -> impl Iterator<Item = &str> {
    let cookies = parts.headers.get_all(COOKIE).iter().filter_map(|cookies| cookies.to_str().ok());
    let cookies = cookies.flat_map(|cookies| cookies.split(';'));
    let kept = cookies.filter_map(|cookie| cookie.trim().strip_prefix(KEPT)?.strip_prefix('='));
    kept.flat_map(|tokens| tokens.split('.')).take(MOST)
}

/// Has a browser that came with a link keep its token, and go on without it in the address: `None` for all others.
pub(super) fn keep(context: &Context, run: RunId, uri: &Uri) -> Option<Response> {
    let signer = context.processes.signer().filter(|_| context.page)?;
    let token = asked(uri)?;
    let Shared { until, .. } = signer.read(&token).filter(|shared| shared.shows(run))?;
    let parts = context.visitor.parts()?;
    let others = kept(parts).filter(|other| *other != token && signer.read(other).is_some());
    let tokens: Vec<&str> = [&*token].into_iter().chain(others).take(MOST).collect();
    let last = tokens.iter().filter_map(|token| signer.read(token)).map(|shared| shared.until).max();
    let seconds = last.unwrap_or(until).as_second() - Timestamp::now().as_second();
    // A semicolon would end the path.
    let path = if context.base.is_empty() || context.base.contains(';') { "/" } else { &context.base };
    let secure = if context.is_https { "; Secure" } else { "" };
    let tokens = tokens.join(".");
    let cookie = format!("{KEPT}={tokens}; Path={path}; Max-Age={seconds}; SameSite=Lax; HttpOnly{secure}");
    let mut rest = form_urlencoded::Serializer::new(String::new());
    rest.extend_pairs(query(uri).filter(|(name, _)| name != SHARE));
    let rest = Some(rest.finish()).filter(|rest| !rest.is_empty());
    let address =
        format!("{}/runs/{run}{}", context.base, rest.map_or_else(String::new, |rest| format!("?{rest}")));
    let headers = [
        (SET_COOKIE, HeaderValue::try_from(cookie).ok()?),
        (LOCATION, HeaderValue::try_from(address).ok()?),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    Some((StatusCode::SEE_OTHER, headers).into_response())
}

/// `POST /runs/{id}/share`: a link to this run, valid for as long as its field `for` says.
pub(super) async fn share(
    State(processes): State<Processes>,
    Path(id): Path<String>,
    context: Context,
    request: Request,
) -> Result<Response, Response> {
    let (run, actor) = context.run(&id, Action::Control).await?;
    let (parts, body) = request.into_parts();
    let refused = |status, why: &'static str| Problem::new(status, why).respond(&context);
    let body = short(body, MAX_BODY, processes.limits()).await;
    let body = body.map_err(|problem| problem.respond(&context))?;
    let asked = form_urlencoded::parse(&body).chain(query(&parts.uri)).find(|(name, _)| name == "for");
    let valid_for = match asked.filter(|(_, text)| !text.is_empty()) {
        None => USUAL,
        Some((_, text)) => {
            length(&text).ok_or_else(|| refused(StatusCode::UNPROCESSABLE_ENTITY, "problem.share_for"))?
        }
    };
    let signed = processes.shared(run.id, valid_for).filter(|_| context.visitor.is_asked_about());
    let Some((shared, token)) = signed else {
        return Err(refused(StatusCode::CONFLICT, "problem.no_share"));
    };
    let actor = actor.name().unwrap_or("somebody");
    tracing::info!(run = %run.id, "it was shared until {} by {}", OneLine(shared.until), OneLine(actor));
    let address = format!("{}{}/runs/{}?{SHARE}={token}", site(&context, &parts), context.base, run.id);
    if context.page {
        let link = pages::Link { address: &address, until: shared.until };
        return run_page(&context, run.id, Some(link)).await;
    }
    Ok(json_of(StatusCode::CREATED, &json!({ "url": address, "expires_at": shared.until })))
}

/// Where the browser is: a form says so, and otherwise it is as the request has it.
fn site(context: &Context, parts: &Parts) -> String {
    let origin = parts.headers.get(ORIGIN).and_then(|origin| origin.to_str().ok());
    let host = front::host(&context.processes, parts).unwrap_or_default();
    let is_own =
        |origin: &&str| origin.split_once("://").is_some_and(|(_, of)| of.eq_ignore_ascii_case(&host));
    match origin.filter(is_own) {
        Some(origin) => origin.to_owned(),
        None => format!("{}://{host}", if context.is_https { "https" } else { "http" }),
    }
}

/// A length of time, such as `90m`, `12h`, `7d` or `2w`.
fn length(text: &str) -> Option<Duration> {
    let (number, unit) = text.trim().split_at_checked(text.trim().len().checked_sub(1)?)?;
    let seconds = match unit {
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        "w" => 604_800,
        _ => return None,
    };
    let number: u32 = number.parse().ok().filter(|number| *number > 0)?;
    Some(Duration::from_secs(u64::from(number) * seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_a_number_and_a_unit() {
        for (text, seconds) in [("90m", 5_400), ("12h", 43_200), ("1d", 86_400), (" 2w ", 1_209_600)] {
            assert_eq!(length(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "d", "0d", "-1d", "1.5d", "7", "1 d", "1y", "1é", "99999999999d", "+"] {
            assert_eq!(length(text), None, "{text}");
        }
    }
}
