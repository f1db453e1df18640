//! The web interface: requests, routes, streams, pages and the server. The only module that depends on axum.

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

/// Returns a builder for the settings of the runtime, such as state, store, data folder and hosts.
pub fn builder() -> Builder {
    Builder::default()
}

/// Returns a router with every process of this program, with default settings: the embedded store and no state.
///
/// ```no_run
/// use axum::Router;
/// use process_runtime::prelude::*;
/// # #[process(title = "Counting")]
/// # async fn count() {}
///
/// let app: Router = Router::new().nest("/processes", process_runtime::router());
/// ```
///
/// # Panics
///
/// Panics if the runtime cannot start. [`BuildError`](crate::BuildError) lists the reasons. To handle the error,
/// use [`builder`].
#[expect(clippy::panic, reason = "a program that cannot mount its processes should say so and stop")]
pub fn router<S: Clone + Send + Sync + 'static>() -> Router<S> {
    match builder().build() {
        Ok(processes) => processes.router(),
        Err(error) => panic!("{error}"),
    }
}
