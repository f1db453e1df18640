//! Share links: how their tokens are signed, read and verified.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use sha2::Sha256;

use crate::run::RunId;

/// The minimum length of a secret, in bytes.
pub(crate) const LEAST: usize = 32;
/// The file in the data folder that holds the generated secret.
const FILE: &str = "secret";
/// Part of the signed data, so that a signature made with the same secret for another purpose is not a valid share
/// link.
const PURPOSE: &[u8] = b"process-runtime share 1";
const ID: usize = 16;
const UNTIL: usize = 8;
const SIGNATURE: usize = 32;

/// The permission to view one run until a point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ShareGrant {
    pub(crate) run: RunId,
    pub(crate) until: Timestamp,
}

impl ShareGrant {
    /// True if the grant is valid now and is for this run.
    pub(crate) fn shows(&self, run: RunId) -> bool {
        self.run == run && Timestamp::now() < self.until
    }
}

/// Signs share links and verifies their tokens.
#[derive(Clone)]
pub(crate) struct Signer {
    key: Hmac<Sha256>,
    /// The longest validity of a link.
    pub(crate) longest: Duration,
}

impl Signer {
    /// `None` for a secret that is too short.
    pub(crate) fn new(secret: &[u8], longest: Duration) -> Option<Self> {
        let key = Hmac::new_from_slice(secret).ok().filter(|_| secret.len() >= LEAST)?;
        Some(Self { key, longest })
    }

    /// A token that permits viewing the run until then, to the second.
    pub(crate) fn sign(&self, shared: ShareGrant) -> String {
        let mut token = Vec::with_capacity(ID + UNTIL + SIGNATURE);
        token.extend_from_slice(shared.run.as_bytes());
        token.extend_from_slice(&shared.until.as_second().to_be_bytes());
        let signature = self.signed(&token).finalize().into_bytes();
        token.extend_from_slice(&signature);
        URL_SAFE_NO_PAD.encode(token)
    }

    /// The grant in a token, if the signature is correct and the grant is still valid.
    pub(crate) fn read(&self, token: &str) -> Option<ShareGrant> {
        let token =
            URL_SAFE_NO_PAD.decode(token).ok().filter(|token| token.len() == ID + UNTIL + SIGNATURE)?;
        let (said, signature) = token.split_at(ID + UNTIL);
        // Takes constant time.
        self.signed(said).verify_slice(signature).ok()?;
        let (id, until) = said.split_at(ID);
        let run = RunId::from_bytes(id.try_into().ok()?);
        let until = Timestamp::from_second(i64::from_be_bytes(until.try_into().ok()?)).ok()?;
        Some(ShareGrant { run, until }).filter(|shared| Timestamp::now() < shared.until)
    }

    fn signed(&self, said: &[u8]) -> Hmac<Sha256> {
        self.key.clone().chain_update(PURPOSE).chain_update(said)
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("longest", &self.longest).finish_non_exhaustive()
    }
}

/// Reads the secret in this folder, or generates it.
pub(crate) fn kept_secret(folder: &Path) -> io::Result<Vec<u8>> {
    let file = folder.join(FILE);
    match fs::read(&file) {
        Ok(secret) if secret.len() >= LEAST => return Ok(secret),
        Ok(_) => {
            let why = format!("{} is too short to be a secret: remove it", file.display());
            return Err(io::Error::new(io::ErrorKind::InvalidData, why));
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let mut secret = [0; LEAST];
    getrandom::fill(&mut secret).map_err(io::Error::other)?;
    crate::folder::write_whole(folder, FILE, &secret)?;
    fs::read(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer(secret: u8) -> Signer {
        Signer::new(&[secret; LEAST], Duration::MAX).unwrap()
    }

    fn shared(seconds: i64) -> ShareGrant {
        let until = Timestamp::from_second(Timestamp::now().as_second() + seconds).unwrap();
        ShareGrant { run: RunId::new(), until }
    }

    #[test]
    fn share_token_rejects_unsigned_claims() {
        let shared = shared(60);
        let token = signer(1).sign(shared);
        assert_eq!(signer(1).read(&token), Some(shared));
        assert!(shared.shows(shared.run) && !shared.shows(RunId::new()));
        assert_eq!(signer(2).read(&token), None, "another secret");
        for (place, _) in token.char_indices() {
            for other in ['A', 'B', '-', '=', '/'] {
                let forged = format!("{}{other}{}", &token[..place], &token[place + 1..]);
                assert!(forged == token || signer(1).read(&forged).is_none(), "{forged}");
            }
            assert_eq!(signer(1).read(&token[..place]), None, "cut after {place}");
        }
        assert_eq!(signer(1).read(&format!("{token}A")), None);
    }

    #[test]
    fn expired_share_token_is_rejected() {
        for seconds in [0, -1, -1_000_000] {
            assert_eq!(signer(1).read(&signer(1).sign(shared(seconds))), None);
        }
    }

    #[test]
    fn secret_created_once_truncated_one_refused() {
        let folder = std::env::temp_dir().join(format!("secret-{}", RunId::new()));
        let secret = kept_secret(&folder).unwrap();
        assert_eq!((secret.len(), kept_secret(&folder).unwrap()), (LEAST, secret));
        fs::write(folder.join(FILE), "short").unwrap();
        assert!(kept_secret(&folder).unwrap_err().to_string().contains("too short"));
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn short_secret_is_rejected() {
        assert!(Signer::new(&[7; LEAST - 1], Duration::MAX).is_none());
    }
}
