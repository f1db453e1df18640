//! The position of a run in a list, as it stands in an address: `before=1795000000000000.0197a3c0-…`.

use jiff::Timestamp;

use crate::run::RunId;
use crate::store::RunPosition;

/// Writes a position of a list with the newest runs first.
pub(in crate::web) fn written(position: RunPosition) -> String {
    format!("{}.{}", position.created_at.as_microsecond(), position.id)
}

/// Reads it again.
pub(in crate::web) fn read(text: &str) -> Option<RunPosition> {
    let (micros, id) = text.split_once('.')?;
    let created_at = Timestamp::from_microsecond(micros.parse().ok()?).ok()?;
    Some(RunPosition { rank: 0, created_at, id: id.parse::<RunId>().ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn position_round_trips() {
        let created_at = Timestamp::from_microsecond(1_795_000_000_000_001).unwrap();
        let position = RunPosition { rank: 0, created_at, id: RunId::new() };
        assert_eq!(read(&written(position)), Some(position));
        for text in ["", "1", "1.", ".x", "x.0197a3c0-5e1b-7cc3-98c4-dc0c0c07398f", "99999999999999999999.1"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
