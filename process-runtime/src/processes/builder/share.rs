//! The settings of an application for share links, and the secret that signs them.

use std::path::Path;
use std::time::Duration;

use super::{BuildError, Builder};
use crate::access::{LEAST, Signer, kept_secret};

/// The default for the longest validity of a share link.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The settings of the builder.
#[derive(Default)]
pub(super) struct Sharing {
    secret: Option<Vec<u8>>,
    #[expect(clippy::option_option, reason = "not set, disabled, or a duration")]
    longest: Option<Option<Duration>>,
}

impl Sharing {
    /// The signer of share links; `None` if they are disabled.
    pub(super) fn signer(self, data: &Path) -> Result<Option<Signer>, BuildError> {
        let longest = self.longest.unwrap_or(Some(LONGEST));
        // A secret that is too short is an error even if share links are disabled.
        let given = self.secret.map(|secret| {
            let bytes = secret.len();
            Signer::new(&secret, longest.unwrap_or_default()).ok_or(BuildError::Secret(bytes))
        });
        let given = given.transpose()?;
        let Some(longest) = longest else { return Ok(None) };
        if given.is_some() {
            return Ok(given);
        }
        let kept = kept_secret(data).map_err(|error| BuildError::Data(error.into()))?;
        Ok(Signer::new(&kept, longest))
    }
}

impl Builder {
    /// Sets the secret that signs [share links](crate::Processes::share): at least 32 random bytes.
    ///
    /// By default, the runtime generates a secret once and keeps it in the data folder, readable only by the
    /// current user. If your nodes do not share a data folder, give all of them the same secret, so that each
    /// accepts the links of the others. A new secret invalidates all existing links.
    pub fn secret(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        const { assert!(LEAST == 32) };
        self.sharing.secret = Some(bytes.into());
        self
    }

    /// Sets the longest validity of a share link. Default: 30 days. `None` disables share links.
    pub fn share_links(mut self, longest: impl Into<Option<Duration>>) -> Self {
        self.sharing.longest = Some(longest.into());
        self
    }
}
