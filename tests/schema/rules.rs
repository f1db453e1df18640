//! A process with a bound, a step, a pattern or a format on each kind of field. It asks for a confirmation, so that nothing is
//! started.

use std::time::Duration;

use jiff::civil::{Date, DateTime, Time, date, datetime, time};
use jiff::{SignedDuration, Timestamp};
use process_runtime::field::Email;
use process_runtime::prelude::*;
use url::Url;
use uuid::Uuid;

#[derive(Debug, Field)]
struct Part {
    #[field(min_len = 3, max_len = 6)]
    code: String,
    #[field(min = 1, max = 10, default = 1)]
    count: u8,
    note: Option<String>,
    weights: Vec<Option<f32>>,
}

/// Has every rule that a field can have.
#[process(title = "Keeping rules", group = "schema", confirm = "Really?")]
#[expect(clippy::too_many_arguments, reason = "every rule is the point of it")]
async fn rules(
    #[field(pattern = r"\d{4}-\w+")] code: String,
    #[field(pattern = "[^,.]+(, .{1,5})*", max_len = 12)] words: Option<String>,
    #[field(min_len = 0)] may_be_empty: String,
    #[field(min_len = 1, max_len = 3, default = "a")] short: String,
    #[field(choices = ["S", "M", "L", "✓"])] size: String,
    #[field(choices = [0.5, 1.0, 2.0], default = 1.0)] factor: f64,
    #[field(min = 1, max = 9, step = 2, default = 3)] odd: u16,
    #[field(step = 5)] fives: Option<i8>,
    #[field(min = -1.5, max = 1.5, step = 0.1)] tenths: Option<f64>,
    #[field(min = 0.1, max = 0.3)] single: Option<f32>,
    any_single: Option<f32>,
    #[field(min = -7, max = 77)] signed: Option<i64>,
    wide: Option<i64>,
    #[field(min = 1_000, max = 123_456_789_012_345_678_901)] huge: Option<u128>,
    lowest: Option<i128>,
    #[field(min = date(2024, 2, 29), max = date(2026, 11, 5))] day: Option<Date>,
    any_day: Option<Date>,
    #[field(min = time(9, 30, 0, 0), max = time(17, 45, 30, 500_000_000))] hour: Option<Time>,
    #[field(min = datetime(2026, 2, 28, 22, 0, 0, 0))] meeting: Option<DateTime>,
    any_meeting: Option<DateTime>,
    #[field(min = "2026-01-01T00:00:00Z".parse::<Timestamp>().unwrap_or_default())] since: Option<Timestamp>,
    #[field(min = Duration::from_secs(90), max = Duration::from_millis(5_400_500))] pause: Option<Duration>,
    #[field(min = SignedDuration::from_secs(-100), max = SignedDuration::from_hours(30))] shift: Option<
        SignedDuration,
    >,
    #[field(max = SignedDuration::from_secs(-5))] before: Option<SignedDuration>,
    any_pause: Option<Duration>,
    #[field(max_len = 60, pattern = "[^@]*://.*")] site: Option<Url>,
    sites: Vec<Url>,
    #[field(min_len = 10)] mail: Option<Email>,
    #[field(min_len = 2, max_len = 3)] ids: Vec<Uuid>,
    #[field(choices = vec![1, 2, 3], default = vec![])] picked: Vec<u8>,
    signs: Vec<char>,
    options: Vec<Option<bool>>,
    #[field(min_len = 1)] parts: Vec<Part>,
    #[field(min_len = 4, max_len = 8)] pin: Secret<String>,
    number: Option<Secret<u64>>,
    address: Option<Secret<Email>>,
    #[field(accept = ".csv, .Txt", max_size = 7)] file: Option<Upload>,
    #[field(accept = ".png,image/*", max_size = 8)] image: Option<Upload>,
    files: Vec<Upload>,
) {
    log(format!(
        "{code} {words:?} {may_be_empty} {short} {size} {factor} {odd} {fives:?} {tenths:?} {single:?}"
    ));
    log(format!(
        "{any_single:?} {signed:?} {wide:?} {huge:?} {lowest:?} {day:?} {any_day:?} {hour:?} {meeting:?}"
    ));
    log(format!("{any_meeting:?} {since:?} {pause:?} {shift:?} {before:?} {any_pause:?} {site:?} {sites:?}"));
    log(format!("{mail:?} {ids:?} {picked:?} {signs:?} {options:?} {pin:?} {number:?} {address:?} {file:?}"));
    log(format!("{image:?} {files:?}"));
    for Part { code, count, note, weights } in parts {
        log(format!("{code} {count} {note:?} {weights:?}"));
    }
}
