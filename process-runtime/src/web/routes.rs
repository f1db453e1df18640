//! The routes: one file for each family of them.

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::processes::Processes;
use crate::web::request::guard;

mod active_counts;
mod assets;
mod compare;
mod control;
mod download;
mod events;
mod history;
mod index;
mod log;
#[cfg(feature = "prometheus")]
mod metrics;
mod openapi;
mod probes;
pub(super) mod process;
mod runs;
mod share;
pub(super) mod start;

impl Processes {
    /// The routes of all processes, to be mounted with `nest` under any prefix, or as they are.
    pub fn router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        // A few routes with parameters instead of several for each process: axum keeps a copy of the router for every
        // connection.
        let start = || get(process::watch_active).post(start::start);
        let guarded = Router::new()
            .route("/", get(index::index))
            .route("/{process}/show_progress", get(process::page))
            .route("/{process}/{name}/show_progress", get(process::page))
            .route("/{process}/start", start())
            .route("/{process}/{name}/start", start())
            .route("/{process}/schema.json", get(openapi::schema))
            .route("/{process}/{name}/schema.json", get(openapi::schema))
            .route("/openapi.json", get(openapi::openapi))
            .route("/runs", get(history::history))
            .route("/runs/{id}", get(runs::show))
            .route("/runs/{id}/events", get(events::of_run))
            .route("/events", get(events::of_many))
            .route("/runs/{id}/cancel", post(control::cancel))
            .route("/runs/{id}/pause", post(control::pause))
            .route("/runs/{id}/resume", post(control::resume))
            .route("/runs/{id}/retry", post(control::retry))
            .route("/runs/{id}/share", post(share::share))
            .route("/runs/{id}/compare", get(compare::compare))
            .route("/runs/{id}/log", get(log::log))
            .route("/runs/{id}/result", get(runs::result))
            .route("/runs/{id}/files/{name}", get(runs::file))
            .route("/runs/{id}/inputs/{field_path}", get(runs::input))
            .route("/assets/{name}", get(assets::asset));
        // Without `Builder::metrics_route` the path is unknown, like any other.
        #[cfg(feature = "prometheus")]
        let guarded = guarded.route("/metrics", get(metrics::metrics));
        guarded
            .fallback(index::index_or_not_found)
            .method_not_allowed_fallback(index::other_method)
            .layer(from_fn_with_state(self.clone(), guard::guard))
            // After the layer, so that the layer does not apply to them.
            .merge(probes::probes())
            .with_state(self.clone())
    }
}
