//! Cron expressions in UTC: when a scheduled process is due.

use croner::parser::{CronParser, Year};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The next time after this one; `None` if there is none, or if the expression is invalid.
pub(crate) fn next_after(schedule: &str, after: Timestamp) -> Option<Timestamp> {
    // As the macro has read it.
    let schedule = CronParser::builder().year(Year::Disallowed).build().parse(schedule).ok()?;
    let next = schedule.find_next_occurrence(&TimeZone::UTC.to_datetime(after), false).ok()?;
    TimeZone::UTC.to_timestamp(next).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(schedule: &str, after: &str) -> Option<String> {
        next_after(schedule, after.parse().unwrap()).map(|next| next.to_string())
    }

    #[test]
    fn next_schedule_time_is_utc() {
        let times = [
            ("0 3 * * *", "2026-11-21T02:59:59.999Z", "2026-11-21T03:00:00Z"),
            ("0 3 * * *", "2026-11-21T03:00:00Z", "2026-11-22T03:00:00Z"),
            ("0 3 * * *", "2026-11-21T03:00:00.001Z", "2026-11-22T03:00:00Z"),
            ("*/15 8-17 * * MON-FRI", "2026-11-20T17:50:00Z", "2026-11-23T08:00:00Z"),
            ("0 0 29 2 *", "2026-11-21T00:00:00Z", "2028-02-29T00:00:00Z"),
            ("@weekly", "2026-11-21T00:00:00Z", "2026-11-22T00:00:00Z"),
            ("* * * * * *", "2026-12-31T23:59:59.5Z", "2027-01-01T00:00:00Z"),
        ];
        for (schedule, after, expected) in times {
            assert_eq!(next(schedule, after).as_deref(), Some(expected), "{schedule} after {after}");
        }
    }

    #[test]
    fn impossible_schedule_has_no_next_time() {
        for schedule in ["0 0 30 2 *", "", "at three", "0 0 0 1 1 * 2030", "60 * * * *"] {
            assert_eq!(next(schedule, "2026-11-21T00:00:00Z"), None, "{schedule}");
        }
    }
}
