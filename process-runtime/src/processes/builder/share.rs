//! What an application says about links that show one run, and what they are signed with.

use std::path::Path;
use std::time::Duration;

use super::{BuildError, Builder};
use crate::access::{LEAST, Signer, kept_secret};

/// How long a link may be valid, unless the builder says otherwise.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// What the builder was told.
#[derive(Default)]
pub(super) struct Sharing {
    secret: Option<Vec<u8>>,
    longest: Option<Option<Duration>>,
}

impl Sharing {
    /// What signs links; `None` where there are none.
    pub(super) fn signer(self, data: &Path) -> Result<Option<Signer>, BuildError> {
        let longest = self.longest.unwrap_or(Some(LONGEST));
        // Too short it is wrong in any case.
        let given = self.secret.map(|secret| {
            let bytes = secret.len();
            Signer::new(&secret, longest.unwrap_or_default()).ok_or(BuildError::Secret(bytes))
        });
        let given = given.transpose()?;
        let Some(longest) = longest else { return Ok(None) };
        if given.is_some() {
            return Ok(given);
        }
        let kept = kept_secret(data).map_err(|error| BuildError::Data(error.to_string()))?;
        Ok(Signer::new(&kept, longest))
    }
}

impl Builder {
    /// What links to [shared](crate::Processes::share) runs are signed with: at least 32 bytes that nobody can guess.
    ///
    /// Without it they are made once, and kept in the data folder where only this user reads them. Nodes without one
    /// folder are given the same secret, so that each knows the links of the others. With another secret, no link is
    /// valid any more.
    pub fn secret(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        const { assert!(LEAST == 32) };
        self.sharing.secret = Some(bytes.into());
        self
    }

    /// How long a link to a shared run may be valid; 30 days without it. With `None` nothing can be shared.
    pub fn share_links(mut self, longest: impl Into<Option<Duration>>) -> Self {
        self.sharing.longest = Some(longest.into());
        self
    }
}
