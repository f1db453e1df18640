//! The route of the index: all processes, each with the run that matters most: one that executes, or the latest.

use axum::extract::Request;
use axum::http::{Method, StatusCode, Uri};
use axum::response::Response;
use serde_json::json;

use crate::access::Action;
use crate::store::{RunFilter, RunOrder};
use crate::texts::Message;
use crate::web::pages;
use crate::web::request::context::Context;
use crate::web::request::json::{json as json_of, process_json};
use crate::web::request::problem::Problem;
use crate::web::request::query::{MAX_SOUGHT, query, too_long};
use crate::web::request::rights::Rights;
use crate::web::routes::active_counts::active_counts;

/// `GET /`
pub(in crate::web) async fn index(context: Context, uri: Uri) -> Result<Response, Response> {
    let searched =
        query(&uri).find(|(name, _)| name == "q").map_or_else(String::new, |(_, words)| words.into_owned());
    if searched.len() > MAX_SOUGHT {
        return Err(Problem::new(StatusCode::BAD_REQUEST, too_long("q")).respond(&context));
    }
    let mut active = active_counts(&context, None).await?;
    let mut entries = Vec::new();
    let mut told = Vec::new();
    for process in context.all_processes().await? {
        let (route, order) = (process.route(), RunOrder::Ranked);
        let counts = active.remove(&route).unwrap_or_default();
        let filter = RunFilter { process: Some(route), order, limit: 1, ..RunFilter::default() };
        let latest = context.runs(filter).await?.pop();
        let starts = context.is_allowed(Some(process), None, Action::Start).await?;
        let rights = match &latest {
            Some(run) => Some(context.rights(run).await?),
            None => None,
        };
        told.push((starts, rights));
        entries.push(pages::Entry { process, latest, active: counts });
    }
    let data = || {
        let entry = |(entry, (starts, rights)): (&pages::Entry, &(bool, Option<Rights>))| {
            let latest = entry.latest.as_ref().zip(*rights);
            process_json(&context.base, entry.process, latest, entry.active, *starts)
        };
        json!({ "processes": entries.iter().zip(&told).map(entry).collect::<Vec<_>>() })
    };
    if context.page {
        return Ok(context.show(StatusCode::OK, &pages::index(&context.shell(), &entries, &searched), data));
    }
    Ok(json_of(StatusCode::OK, &data()))
}

/// The response to a method that the route does not have. axum adds `Allow`.
pub(in crate::web) async fn other_method(context: Context, method: Method) -> Response {
    let detail = Message::new("problem.other_method").with("method", method.as_str());
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, detail).respond(&context)
}

/// Every other path; the mount's own path with a trailing slash is the index too.
pub(in crate::web) async fn index_or_not_found(
    context: Context,
    request: Request,
) -> Result<Response, Response> {
    let at_root = matches!(request.uri().path(), "" | "/");
    if at_root && [Method::GET, Method::HEAD].contains(request.method()) {
        return index(context, request.uri().clone()).await;
    }
    Err(context.nothing().await)
}
