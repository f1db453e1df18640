//! Counts the open requests of an HTTP/2 connection, and waits until there have been none for a while.

use std::time::Duration;

use axum::body::Body;
use axum::http::Response;
use tokio::sync::watch;
use tokio::time::sleep;

use crate::web::stream::held_body::hold;

/// The requests of one connection without a complete response.
#[derive(Default)]
pub(super) struct Requests(watch::Sender<usize>);

/// One open request.
pub(super) struct Open(watch::Sender<usize>);

impl Requests {
    pub(super) fn begin(&self) -> Open {
        self.0.send_modify(|open| *open += 1);
        Open(self.0.clone())
    }

    /// Waits until there have been no open requests for this long.
    pub(super) async fn none_for(&self, patience: Duration) {
        let mut open = self.0.subscribe();
        loop {
            let is_idle = *open.borrow_and_update() == 0;
            tokio::select! {
                () = sleep(patience), if is_idle => return,
                // `self` owns a sender, so the channel never closes.
                _ = open.changed() => {}
            }
        }
    }
}

impl Open {
    /// The response, which counts as open until its body was sent.
    pub(super) fn until_sent(self, response: Response<Body>) -> Response<Body> {
        response.map(|body| hold(body, self))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open -= 1);
    }
}
