//! How many downloads are under way at the same time: each has a permit until it is sent or given up.

use std::sync::Arc;

use axum::body::Body;
use tokio::sync::OwnedSemaphorePermit;

use super::held_body::hold;
use super::respond::Problem;
use crate::processes::Processes;
use crate::texts::Message;

/// Lets one download go on.
pub(super) struct DownloadPermit {
    _permit: OwnedSemaphorePermit,
}

impl DownloadPermit {
    /// One more; an error when as many are under way as may be.
    pub(super) fn take(processes: &Processes) -> Result<Self, Problem> {
        let free = Arc::clone(processes.downloads()).try_acquire_owned();
        free.map(|permit| Self { _permit: permit }).map_err(|_| {
            let most = processes.limits().max_downloads;
            Problem::later(Message::new("problem.downloads").with("most", most))
        })
    }

    /// The body, which keeps the permit for as long as there is anything of it to send.
    pub(super) fn hold(self, body: Body) -> Body {
        hold(body, self)
    }
}
