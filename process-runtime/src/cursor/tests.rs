//! What a cursor may be, and what it says when it may not.

use serde::Deserialize;
use serde_json::json;

use super::*;
use crate::parameter::States;
use crate::progress::Stop;

fn extract<T>(type_name: &str, value: Value) -> Result<Cursor<T>, String>
where
    T: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    let cursor = Some(SavedCursor { type_name: type_name.into(), value });
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
        Some(Stop::Ended(Outcome::Failed(why))) if saved.is_err() => Some(why),
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
fn a_run_goes_on_with_what_was_saved() {
    assert_eq!(extract::<u64>("u64", json!(7)).unwrap().get(), Some(7));
    let place = extract::<Place>(type_name::<Place>(), json!({ "file": "a.csv", "line": 3 })).unwrap();
    assert_eq!(place.get(), Some(Place { file: "a.csv".into(), line: 3 }));
    // A test gives no name.
    assert_eq!(extract::<u64>("", json!(7)).unwrap().get(), Some(7));
}

#[test]
fn what_a_run_goes_on_with_is_not_a_save() {
    let cursor = extract::<u64>("u64", json!(7)).unwrap();
    let reading = cursor.progress.read();
    assert_eq!((reading.cursor, reading.cursor_saves), (None, 0));
}

#[test]
fn a_cursor_of_another_type_is_refused_by_name() {
    let refused = extract::<u64>("shop::Page", json!(7)).unwrap_err();
    let words =
        "cursor: the cursor was saved as `shop::Page`, and is now `u64`: the run cannot go on where it was";
    assert_eq!(refused, words);
}

#[test]
fn a_cursor_that_the_type_no_longer_reads_as_it_was_is_refused() {
    let name = type_name::<Place>();
    let unread = extract::<Place>(name, json!({ "line": 3 })).unwrap_err();
    assert!(unread.contains(name) && unread.ends_with("missing field `file`"), "{unread}");
    // A field that was there is not any more, and one that was not is now.
    for value in [json!({ "file": "a", "line": 3, "page": 1 }), json!({ "file": "a" })] {
        let other = extract::<Place>(name, value).unwrap_err();
        assert!(other.ends_with("read and written once more, it is another value"), "{other}");
    }
}

#[test]
fn a_cursor_may_be_64_kib_long_and_not_a_byte_more() {
    let fits = "x".repeat(MAX_CURSOR - 2);
    assert_eq!(ends(fits.clone()), None);
    let why = ends(fits + "x").unwrap();
    assert!(why.starts_with("the cursor is 65537 bytes long, and may be 65536"), "{why}");
}

#[test]
fn a_cursor_that_could_not_be_read_again_ends_the_run_when_it_is_saved() {
    assert_eq!(ends(1.5), None);
    let why = ends(f64::NAN).unwrap();
    assert!(why.starts_with("the cursor `f64` could not be read again"), "{why}");
    let why = ends(u128::MAX).unwrap();
    assert!(why.starts_with("the cursor `u128` cannot be written as JSON"), "{why}");
}

#[test]
fn clones_are_the_same_cursor() {
    let cursor = Cursor::new();
    cursor.clone().save(3);
    assert_eq!((cursor.get(), Cursor::at(4).get()), (Some(3), Some(4)));
    assert_eq!(format!("{cursor:?}"), "Cursor(Some(Number(3)))");
}
