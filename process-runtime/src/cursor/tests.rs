//! Valid cursors, which stored values a run resumes from, and the errors for the others.

use serde::Deserialize;
use serde_json::json;

use super::*;
use crate::parameter::States;
use crate::progress::Stop;

fn extract<T>(value: Value) -> Result<Cursor<T>, String>
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    let cursor = Some(SavedCursor::new(value));
    let (progress, states) = (Progress::detached(), States::default());
    let from = Invocation { progress, states, input: serde_json::Map::new(), cursor };
    Cursor::extract("cursor", |options| options, &from).map_err(|errors| errors.to_string())
}

/// How the run ends that saves this.
fn ends<T>(value: T) -> Option<String>
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    let cursor = Cursor::new();
    let saved = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| cursor.save(value)));
    match cursor.progress.stop_reason() {
        Some(Stop::Ended(Outcome::Failed(why))) if saved.is_err() => Some(why.message),
        None if saved.is_ok() => None,
        other => panic!("{other:?}"),
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Place {
    file: String,
    #[serde(default)]
    line: u64,
}

#[test]
fn run_resumes_from_saved_cursor() {
    assert_eq!(extract::<u64>(json!(7)).unwrap().get(), Some(7));
    let place = extract::<Place>(json!({ "file": "a.csv", "line": 3 })).unwrap();
    assert_eq!(place.get(), Some(Place { file: "a.csv".into(), line: 3 }));
}

#[test]
fn restored_cursor_is_not_a_save() {
    let cursor = extract::<u64>(json!(7)).unwrap();
    let reading = cursor.progress.read();
    assert_eq!((reading.cursor, reading.cursor_saves), (None, 0));
}

mod moved {
    /// A type with another name and path, and with one more member in another order.
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    pub(super) struct Position {
        #[serde(default)]
        pub(super) page: Option<u8>,
        pub(super) line: f64,
        pub(super) file: String,
    }
}

#[test]
fn cursor_type_name_is_ignored() {
    let place = extract::<moved::Position>(json!({ "file": "a.csv", "line": 3 })).unwrap();
    assert_eq!(place.get(), Some(moved::Position { page: None, line: 3.0, file: "a.csv".into() }));
    assert_eq!(extract::<u128>(json!(7)).unwrap().get(), Some(7));
    assert_eq!(extract::<i64>(json!(u32::MAX)).unwrap().get(), Some(u32::MAX.into()));
    assert_eq!(extract::<Option<u8>>(json!(7)).unwrap().get(), Some(Some(7)));
    assert_eq!(
        extract::<Place>(json!({ "file": "a" })).unwrap().get(),
        Some(Place { file: "a".into(), line: 0 })
    );
    // A member that was null may be missing.
    assert!(extract::<Place>(json!({ "file": "a", "line": 1, "page": null })).is_ok());
}

#[test]
fn incompatible_cursor_error_shows_value() {
    let unread = extract::<Place>(json!({ "line": 3 })).unwrap_err();
    assert!(unread.starts_with(r#"cursor: the run is at {"line":3}, but the process's cursor"#), "{unread}");
    assert!(unread.ends_with("missing field `file`"), "{unread}");
    let other = extract::<Place>(json!({ "file": "a", "line": 3, "page": 1 })).unwrap_err();
    assert!(other.ends_with(r#"read and written again, it becomes {"file":"a","line":3}"#), "{other}");
    for value in [json!(300), json!(-1), json!(1.5), json!("7"), json!([7])] {
        assert!(extract::<u8>(value.clone()).is_err(), "{value}");
    }
    // A float cannot hold all digits.
    assert!(extract::<f64>(json!((1_u64 << 53) + 1)).is_err());
    let long = extract::<u8>(json!("x".repeat(10_000))).unwrap_err();
    assert!(long.len() < 20_500 && long.contains("[cut: 10002 bytes in all]"), "{}", long.len());
}

#[test]
fn too_deep_cursor_fails_on_save() {
    let nested = |levels| (0..levels).fold(json!(1), |inner, _| json!([inner]));
    assert_eq!(ends(nested(MAX_DEPTH)), None);
    assert!(ends(nested(MAX_DEPTH + 1)).unwrap().contains("nested more than"));
}

#[test]
fn cursor_is_limited_to_64_kib() {
    let fits = "x".repeat(MAX_CURSOR - 2);
    assert_eq!(ends(fits.clone()), None);
    let why = ends(fits + "x").unwrap();
    assert!(why.starts_with("the cursor is 65537 bytes long (the limit is 65536)"), "{why}");
}

#[test]
fn lossy_cursor_fails_on_save() {
    assert_eq!(ends(1.5), None);
    let why = ends(f64::NAN).unwrap();
    assert!(why.starts_with("the cursor cannot be read back"), "{why}");
    let why = ends(u128::MAX).unwrap();
    assert!(why.starts_with("the cursor cannot be written as JSON"), "{why}");
}

#[test]
fn clones_share_one_cursor() {
    let cursor = Cursor::new();
    cursor.clone().save(3);
    assert_eq!((cursor.get(), Cursor::at(4).get()), (Some(3), Some(4)));
    assert_eq!(format!("{cursor:?}"), "Cursor(Some(Number(3)))");
}
