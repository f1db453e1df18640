//! The web interface: requests, routes, streams, pages and the server. The only place that knows axum.

use axum::Router;

use crate::processes::Builder;

mod pages;
mod request;
mod routes;
#[cfg(feature = "serve")]
mod server;
mod stream;

pub use routes::process::show_progress;
pub use routes::start::handle_start;
#[cfg(feature = "serve")]
pub use server::serve::{ServeError, serve, serve_on, serve_until, serve_with};

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
/// When the runtime cannot start: see [`BuildError`](crate::BuildError) for the reasons, and
/// [`builder`] for a way to handle them.
#[expect(clippy::panic, reason = "a program that cannot mount its processes should say so and stop")]
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    match builder().build() {
        Ok(processes) => processes.router(),
        Err(error) => panic!("{error}"),
    }
}
