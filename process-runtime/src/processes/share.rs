//! Which share links can be made, and for how long they are valid.

use std::time::Duration;

use jiff::Timestamp;

use super::Processes;
use crate::access::{ShareGrant, Signer};
use crate::run::RunId;

impl Processes {
    /// A link that shows this run, and nothing else, to whoever has it: its page, its stream, its log and what it
    /// made. It is an address below the mount, such as `/runs/0198…?share=…`.
    ///
    /// It is valid for so long, or as long as [`Builder::share_links`](crate::Builder::share_links) lets it. Where no
    /// link is needed, because there is no [`authorize`](crate::Builder::authorize), or none is to be made, it is the
    /// run's own address, which shows it to those who may see it.
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

    /// What a link shows, and its token; `None` where there are no links.
    pub(crate) fn shared(&self, run: RunId, valid_for: Duration) -> Option<(ShareGrant, String)> {
        let signer = self.signer()?;
        let until = Timestamp::now().checked_add(valid_for.min(signer.longest)).unwrap_or(Timestamp::MAX);
        // What is not whole is not signed.
        let until = Timestamp::from_second(until.as_second()).unwrap_or(until);
        let shared = ShareGrant { run, until };
        Some((shared, signer.sign(shared)))
    }

    /// What signs links, where there are some.
    pub(crate) fn signer(&self) -> Option<&Signer> {
        self.0.signer.as_ref()
    }
}
