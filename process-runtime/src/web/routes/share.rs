//! The route that creates a share link.

use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::ORIGIN;
use axum::http::request::Parts;
use axum::response::Response;
use serde_json::json;

use crate::access::Action;
use crate::processes::Processes;
use crate::text::OneLine;
use crate::web::pages;
use crate::web::request::body::short;
use crate::web::request::context::Context;
use crate::web::request::forwarded;
use crate::web::request::json::json as json_of;
use crate::web::request::problem::Problem;
use crate::web::request::query::query;
use crate::web::request::share_link::SHARE;
use crate::web::routes::runs::run_page;

/// The default lifetime of a link.
const USUAL: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// The longest body of such a request.
const MAX_BODY: usize = 4096;

/// `POST /runs/{id}/share`: creates a link to this run, valid for as long as the field `for` states.
pub(in crate::web) async fn share(
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
    tracing::info!(run = %run.id, "shared until {} by {}", OneLine(shared.until), OneLine(actor));
    let address = format!("{}{}/runs/{}?{SHARE}={token}", site(&context, &parts), context.base, run.id);
    if context.page {
        let link = pages::Link { address: &address, until: shared.until };
        return run_page(&context, run.id, Some(link)).await;
    }
    Ok(json_of(StatusCode::CREATED, &json!({ "url": address, "expires_at": shared.until })))
}

/// The site that the browser uses: a form sends it; otherwise it comes from the request.
fn site(context: &Context, parts: &Parts) -> String {
    let origin = parts.headers.get(ORIGIN).and_then(|origin| origin.to_str().ok());
    let host = forwarded::host(&context.processes, parts).unwrap_or_default();
    let is_own =
        |origin: &&str| origin.split_once("://").is_some_and(|(_, of)| of.eq_ignore_ascii_case(&host));
    match origin.filter(is_own) {
        Some(origin) => origin.to_owned(),
        None => format!("{}://{host}", if context.is_https { "https" } else { "http" }),
    }
}

/// A duration, such as `90m`, `12h`, `7d` or `2w`.
///
/// Not parsed by jiff: a duration beyond its range is valid here, and means the longest that a link may be valid.
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
    fn share_duration_is_number_and_unit() {
        for (text, seconds) in [("90m", 5_400), ("12h", 43_200), ("1d", 86_400), (" 2w ", 1_209_600)] {
            assert_eq!(length(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "d", "0d", "-1d", "1.5d", "7", "1 d", "1y", "1é", "99999999999d", "+"] {
            assert_eq!(length(text), None, "{text}");
        }
    }
}
