//! Owns the routes and what is around every answer. The only place that knows axum.
//! Refuses to know how runs are executed and stored.

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};

use crate::processes::{Builder, Processes};

mod assets;
mod body;
mod compare;
mod control;
mod describe;
mod downloads;
mod events;
mod form;
mod front;
mod given;
mod guard;
mod head;
mod held_body;
mod history;
mod language;
mod log;
mod messages;
#[cfg(feature = "prometheus")]
mod metrics;
mod observe;
mod openapi;
mod opening;
mod paced;
mod pages;
mod path;
mod probes;
mod process;
mod respond;
mod rights;
mod runs;
mod serve;
mod server;
mod share;
mod start;
mod stream;
mod timed;
mod watching;

pub use process::show_progress;
pub use serve::{ServeError, serve, serve_on, serve_until, serve_with};
pub use start::handle_start;

/// Collects what the processes need: state, store, data folder, hosts.
pub fn builder() -> Builder {
    Builder::default()
}

/// Every process of this program on a router, with the embedded store and no state.
///
/// ```no_run
/// use axum::Router;
/// # use process_runtime::prelude::*;
/// # #[process(title = "Counting")]
/// # async fn count() {}
///
/// let app: Router = Router::new().nest("/processes", process_runtime::router());
/// ```
///
/// # Panics
///
/// When the runtime cannot start: see [`StartupError`](crate::StartupError) for the reasons, and
/// [`builder`] for a way to handle them.
#[expect(clippy::panic, reason = "a program that cannot mount its processes should say so and stop")]
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    match builder().build() {
        Ok(processes) => processes.router(),
        Err(error) => panic!("{error}"),
    }
}

impl Processes {
    /// The routes of all processes, to be mounted with `nest` under any prefix, or as they are.
    pub fn router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        // Few routes with parameters instead of a few for each process: axum keeps a copy of what it
        // routes for every connection.
        let start = || get(process::watch_active).post(start::start);
        let guarded = Router::new()
            .route("/", get(runs::index))
            .route("/{process}/show_progress", get(process::page))
            .route("/{process}/{name}/show_progress", get(process::page))
            .route("/{process}/start", start())
            .route("/{process}/{name}/start", start())
            .route("/{process}/schema.json", get(describe::schema))
            .route("/{process}/{name}/schema.json", get(describe::schema))
            .route("/openapi.json", get(describe::openapi))
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
            .route("/assets/{name}", get(assets::asset));
        // Where nobody has asked for it, it is as unknown as any other address.
        #[cfg(feature = "prometheus")]
        let guarded = guarded.route("/metrics", get(metrics::metrics));
        guarded
            .fallback(runs::index_or_not_found)
            .layer(from_fn_with_state(self.clone(), guard::guard))
            // After the layer, and so outside of it.
            .merge(probes::probes())
            .with_state(self.clone())
    }
}
