//! Share links: which can be made, and for how long they are valid.

use std::time::Duration;

use jiff::Timestamp;

use super::Processes;
use crate::access::{ShareGrant, Signer};
use crate::run::RunId;

impl Processes {
    /// Returns a share link for this run. Anyone who has the link can see the run's page, stream, log,
    /// result and files, and nothing else. The link is a path below the mount, such as `/runs/0198…?share=…`.
    ///
    /// The link is valid for `valid_for`, or for the maximum that
    /// [`Builder::share_links`](crate::Builder::share_links) sets if that is shorter. If the builder has no
    /// [`authorize`](crate::Builder::authorize) hook, so that no link is needed, or if share links are disabled,
    /// this returns the run's plain path, which works for visitors who have permission to view the run.
    ///
    /// ```
    /// use std::time::Duration;
    /// # async fn example(processes: process_runtime::Processes, run: process_runtime::RunHandle) {
    /// let link = format!("https://shop.example.org/jobs{}", processes.share(run.id(), Duration::from_secs(86_400)));
    /// # }
    /// ```
    pub fn share(&self, run: RunId, valid_for: Duration) -> String {
        match self.shared(run, valid_for) {
            Some((_, token)) => format!("/runs/{run}?share={token}"),
            None => format!("/runs/{run}"),
        }
    }

    /// The grant of a share link and its token; `None` if there are no share links.
    pub(crate) fn shared(&self, run: RunId, valid_for: Duration) -> Option<(ShareGrant, String)> {
        let signer = self.signer()?;
        let until = Timestamp::now().checked_add(valid_for.min(signer.longest)).unwrap_or(Timestamp::MAX);
        // Tokens contain whole seconds.
        let until = Timestamp::from_second(until.as_second()).unwrap_or(until);
        let shared = ShareGrant { run, until };
        Some((shared, signer.sign(shared)))
    }

    /// The signer of share links, if there are any.
    pub(crate) fn signer(&self) -> Option<&Signer> {
        self.0.signer.as_ref()
    }
}
