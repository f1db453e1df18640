//! The idempotency keys of starts. Keys that the runtime generates cannot collide with keys of clients.

use jiff::Timestamp;

use crate::run::RunId;

/// The longest idempotency key of a client, in bytes.
pub(crate) const MAX_KEY: usize = 200;

/// The prefix of keys that the runtime generates. Keys of clients cannot contain it.
const OURS: char = '\u{1}';

/// An idempotency key, by its origin.
#[derive(Debug)]
pub(crate) enum Key {
    /// The client that starts the run: by a header, a form or from code.
    Client(String),
    /// The runtime, for the scheduled start at this time.
    Schedule(Timestamp),
    /// The runtime, for a retry of this run.
    Retry { of: RunId, from_start: bool },
}

impl Key {
    /// The key as it is stored. `None` if a client's key is empty, too long or contains a control character.
    pub(crate) fn stored(self) -> Option<String> {
        match self {
            Self::Client(key) => {
                let is_sound = (1..=MAX_KEY).contains(&key.len()) && !key.contains(char::is_control);
                is_sound.then_some(key)
            }
            Self::Schedule(at) => Some(format!("{OURS}schedule {at}")),
            Self::Retry { of, from_start: false } => Some(format!("{OURS}retry {of}")),
            Self::Retry { of, from_start: true } => Some(format!("{OURS}retry {of} from the start")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_cannot_forge_internal_idempotency_key() {
        let ours = [
            Key::Schedule(Timestamp::UNIX_EPOCH),
            Key::Retry { of: RunId::new(), from_start: false },
            Key::Retry { of: RunId::new(), from_start: true },
        ];
        for key in ours.map(|key| key.stored().unwrap()) {
            assert_eq!(Key::Client(key.clone()).stored(), None, "{key:?}");
            let bare = key.trim_start_matches(OURS);
            assert_eq!(Key::Client(bare.to_owned()).stored().as_deref(), Some(bare), "it is another key");
        }
        for refused in [String::new(), "k".repeat(MAX_KEY + 1), "\u{9f}".into(), "a\nb".into()] {
            assert_eq!(Key::Client(refused.clone()).stored(), None, "{refused:?}");
        }
    }
}
