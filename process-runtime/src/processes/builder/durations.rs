//! Checks the durations that an application sets: none is so short that everything ends at once, and none is so
//! long that adding it to a point in time overflows.

use std::time::Duration;

use super::BuildError;
use crate::limits::Limits;
use crate::runner::Settings;

/// The longest duration, a hundred years. Longer ones are clamped.
pub(super) const LONGEST: Duration = Duration::from_secs(100 * 31_557_600);
/// A lease is renewed three times before it expires, and the machine may be busy.
const SHORTEST_LEASE: Duration = Duration::from_millis(100);

/// The settings, with durations within their bounds.
pub(super) fn checked(settings: Settings) -> Result<Settings, BuildError> {
    let at_least = |name: &str, given: Duration, least: Duration| {
        let short = || BuildError::Setting(format!("{name} is {given:?}, but must be at least {least:?}"));
        if given < least { Err(short()) } else { Ok(given.min(LONGEST)) }
    };
    let shortest = Duration::from_millis(1);
    let limits = settings.limits;
    Ok(Settings {
        lease: at_least("lease", settings.lease, SHORTEST_LEASE)?,
        stalled_after: at_least("stalled_after", settings.stalled_after, shortest)?,
        retain_for: settings.retain_for.map(|age| age.min(LONGEST)),
        limits: Limits {
            header_timeout: at_least("Limits::header_timeout", limits.header_timeout, shortest)?,
            body_timeout: at_least("Limits::body_timeout", limits.body_timeout, shortest)?,
            reader_timeout: at_least("Limits::reader_timeout", limits.reader_timeout, shortest)?,
            ..limits
        },
        ..settings
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn too_short_durations_are_refused() {
        let refused = |settings: Settings| checked(settings).unwrap_err().to_string();
        let settings = Settings { lease: Duration::from_millis(99), ..Settings::default() };
        assert!(refused(settings).contains("lease is 99ms, but must be at least 100ms"));
        let zero = |change: fn(&mut Limits)| {
            let mut settings = Settings::default();
            change(&mut settings.limits);
            refused(settings)
        };
        assert!(zero(|limits| limits.header_timeout = Duration::ZERO).contains("Limits::header_timeout"));
        assert!(zero(|limits| limits.body_timeout = Duration::ZERO).contains("Limits::body_timeout"));
        assert!(zero(|limits| limits.reader_timeout = Duration::ZERO).contains("Limits::reader_timeout"));
        let silent = Settings { stalled_after: Duration::ZERO, ..Settings::default() };
        assert!(refused(silent).contains("stalled_after"));
    }

    #[test]
    fn endless_durations_saturate() {
        let settings = Settings {
            lease: Duration::MAX,
            stalled_after: Duration::MAX,
            retain_for: Some(Duration::MAX),
            ..Settings::default()
        };
        let checked = checked(settings).unwrap();
        assert_eq!(
            (checked.lease, checked.stalled_after, checked.retain_for),
            (LONGEST, LONGEST, Some(LONGEST))
        );
    }
}
