//! How many requests a connection of HTTP/2 is busy with, and for how long it has been with none.

use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::web::stream::held_body::hold;

/// The requests of one connection that are not answered whole.
#[derive(Default)]
pub(super) struct Requests(watch::Sender<usize>);

/// One of them.
pub(super) struct Open(watch::Sender<usize>);

impl Requests {
    pub(super) fn begin(&self) -> Open {
        self.0.send_modify(|open| *open += 1);
        Open(self.0.clone())
    }

    /// Waits until there has been none for so long.
    pub(super) async fn none_for(&self, patience: Duration) {
        let mut open = self.0.subscribe();
        loop {
            let is_idle = *open.borrow_and_update() == 0;
            tokio::select! {
                () = sleep(patience), if is_idle => return,
                // The sender is ours: there is always another change to wait for.
                _ = open.changed() => {}
            }
        }
    }
}

impl Open {
    /// The response, which is open until all of it was given away.
    pub(super) fn until_sent(self, response: Response<Body>) -> Response<Body> {
        response.map(|body| hold(body, self))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open -= 1);
    }
}
