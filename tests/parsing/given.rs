//! Values of every kind, as proptest makes them.

use std::time::Duration;

use jiff::civil::{Date, DateTime, Time};
use jiff::{SignedDuration, Timestamp};
use process_runtime::field::Email;
use process_tests::fields::{Address, Delivery, Line};
use proptest::prelude::*;
use serde_json::{Value, json};
use url::Url;
use uuid::Uuid;

pub(crate) fn dates() -> impl Strategy<Value = Date> {
    (-9999_i16..=9999, 1_i8..=12, 1_i8..=31)
        .prop_filter_map("there is no such day", |(year, month, day)| Date::new(year, month, day).ok())
}

pub(crate) fn times() -> impl Strategy<Value = Time> {
    let parts = (0_i8..24, 0_i8..60, 0_i8..60, prop_oneof![Just(0), 0..1_000_000_000]);
    parts.prop_map(|(hour, minute, second, nanosecond)| Time::new(hour, minute, second, nanosecond).unwrap())
}

pub(crate) fn date_times() -> impl Strategy<Value = DateTime> {
    (dates(), times()).prop_map(|(date, time)| date.to_datetime(time))
}

pub(crate) fn moments() -> impl Strategy<Value = Timestamp> {
    let all = Timestamp::MIN.as_nanosecond()..=Timestamp::MAX.as_nanosecond();
    let seconds = Timestamp::MIN.as_second()..=Timestamp::MAX.as_second();
    prop_oneof![
        all.prop_map(|nanosecond| Timestamp::from_nanosecond(nanosecond).unwrap()),
        seconds.prop_map(|second| Timestamp::from_second(second).unwrap()),
    ]
}

pub(crate) fn signed_durations() -> impl Strategy<Value = SignedDuration> {
    let any = (any::<i64>(), 0..1_000_000_000_i32).prop_map(|(seconds, nanoseconds)| {
        SignedDuration::new(seconds, if seconds < 0 { -nanoseconds } else { nanoseconds })
    });
    prop_oneof![
        any,
        (-100_000_i64..100_000).prop_map(SignedDuration::from_secs),
        (-10_000_000_i64..10_000_000).prop_map(SignedDuration::from_micros),
        Just(SignedDuration::MAX),
        Just(SignedDuration::MIN),
    ]
}

/// All durations that can be written.
pub(crate) fn durations() -> impl Strategy<Value = Duration> {
    let any = (0..=i64::MAX as u64, 0..1_000_000_000_u32);
    prop_oneof![
        any.prop_map(|(seconds, nanoseconds)| Duration::new(seconds, nanoseconds)),
        (0..100_000_u64).prop_map(Duration::from_secs),
        (0..10_000_000_u64).prop_map(Duration::from_nanos),
    ]
}

pub(crate) fn urls() -> impl Strategy<Value = Url> {
    "[a-z]{2,6}:(//([a-zü]{1,5}(:[a-z]{1,3})?@)?[a-z0-9ö.-]{1,12}(:[0-9]{1,5})?)?(/[a-zA-Z0-9 %äß.\\\\]{0,9}){0,3}(\\?[a-z=&%é ]{0,9})?(#[a-z ]{0,5})?"
        .prop_filter_map("no URL", |text| text.parse().ok())
}

pub(crate) fn emails() -> impl Strategy<Value = Email> {
    "[a-zA-Z0-9.+_ü-]{1,12}@[a-z0-9ö-]{1,8}(\\.[a-zé]{1,6}){1,2}"
        .prop_filter_map("no address", |text| text.parse().ok())
}

pub(crate) fn uuids() -> impl Strategy<Value = Uuid> {
    any::<u128>().prop_map(Uuid::from_u128)
}

pub(crate) fn floats() -> impl Strategy<Value = f64> {
    let bits = any::<u64>().prop_map(f64::from_bits);
    prop_oneof![bits, -1e6..1e6_f64, any::<i32>().prop_map(f64::from), any::<f64>()]
        .prop_filter("finite", |number| number.is_finite())
}

pub(crate) fn deliveries() -> impl Strategy<Value = Delivery> {
    prop_oneof![Just(Delivery::Door), Just(Delivery::Shop), Just(Delivery::Nothing)]
}

/// A text that a form can send in one line, with something in it.
pub(crate) fn words() -> impl Strategy<Value = String> {
    "[^\\p{C}\\p{Z}][^\\p{Cc}]{0,15}"
}

pub(crate) fn addresses() -> impl Strategy<Value = Address> {
    let parts = (words(), "[0-9]{5}", prop::collection::vec(any::<u8>(), 0..3));
    parts.prop_map(|(street, zip, floors)| Address { street, zip, floors })
}

pub(crate) fn lines() -> impl Strategy<Value = Line> {
    (words(), 1..u32::MAX).prop_map(|(article, quantity)| Line { article, quantity })
}

/// A text that means something somewhere, or nothing anywhere.
pub(crate) fn texts() -> impl Strategy<Value = String> {
    let known = [
        "",
        " ",
        "on",
        "off",
        "yes",
        "5",
        "-1",
        "0.1",
        "1e3",
        "NaN",
        "-0",
        "2026-11-21",
        "2026-02-30",
        "14:30",
        "2026-11-21T14:30",
        "2026-11-21T14:30:00Z",
        "2026-11-21t14:30:60+25:00",
        "-009999-01-01T00:00",
        "PT5M",
        "1h 30m",
        "-P1Y",
        "99999999999999999h",
        "5m ago",
        "door",
        "none",
        "ada@example.org",
        "@",
        "x:",
        "http://",
        "https://example.org",
        "••••••",
        "\u{0}",
        "a\r\nb",
        "18446744073709551616",
        "+5",
        "１２",
        "\u{feff}5",
        "2026-11-21T14:30:00[Europe/Berlin]",
        "0198c0de-7e57-7000-8000-0123456789ab",
        "aGVsbG8=",
        "/etc/passwd",
    ];
    prop_oneof![
        3 => prop::sample::select(known.to_vec()).prop_map(str::to_owned),
        1 => ".{0,60}",
        1 => "[0-9TPZ:.hms+ -]{0,20}",
    ]
}

/// Any JSON, with keys that mean something somewhere.
pub(crate) fn jsons() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-3..300_i32).prop_map(Value::from),
        floats().prop_map(Value::from),
        texts().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names(), inner), 0..4)
                .prop_map(|entries| json!(entries.into_iter().collect::<serde_json::Map<_, _>>())),
        ]
    })
}

/// Names of fields, of their members, and unknown ones.
pub(crate) fn names() -> impl Strategy<Value = String> {
    let known = [
        "text",
        "word",
        "sign",
        "small",
        "number",
        "huge",
        "ratio",
        "choice",
        "yes",
        "date",
        "time",
        "meeting",
        "moment",
        "pause",
        "shift",
        "id",
        "website",
        "email",
        "delivery",
        "deliveries",
        "numbers",
        "address",
        "lines",
        "file",
        "more",
        "documents",
        "secret",
        "logins",
        "street",
        "zip",
        "floors",
        "article",
        "quantity",
        "title",
        "user",
        "token",
        "name",
        "content",
        "path",
        "size",
        "type",
        "upload",
        "0",
        "1",
        "00",
        "-1",
        "",
        "99999999999999999999",
        "idempotency-key",
        "confirmed-start",
    ];
    prop_oneof![9 => prop::sample::select(known.to_vec()).prop_map(str::to_owned), 1 => ".{0,5}"]
}
