//! Warnings about streams that work on several items at a time in front of an adapter that cannot resume them
//! correctly.

use std::any::type_name;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cursor::Cursor;

/// The adapters of `futures` that start items before the previous ones are done. They are recognised by their type
/// name alone; a boxed stream goes unnoticed.
const AHEAD: [&str; 4] = ["Buffered<", "BufferUnordered<", "FuturesUnordered<", "FuturesOrdered<"];
/// The adapters that return items as they are done, in no order.
const UNORDERED: [&str; 2] = ["BufferUnordered<", "FuturesUnordered<"];

fn is<S>(adapters: &[&str]) -> bool {
    let name = type_name::<S>();
    adapters.iter().any(|adapter| name.contains(adapter))
}

/// Warns of `items.map(work).buffered(8).resume_from(&cursor)`, which repeats the skipped items. Authors see the
/// warning on the first attempt, and viewers when items are repeated.
pub(super) fn warn_of_resume<S, K>(cursor: &Cursor<K>)
where
    K: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    if is::<S>(&AHEAD) {
        tracing::warn!(
            run = %cursor.handle().run_id(),
            "resume_from comes after buffered: a resumed run repeats the work of all items; begin the source after the \
             cursor, and save the position with checkpoint"
        );
        if cursor.get().is_some() {
            cursor
                .handle()
                .warn("completed items are processed again because resume_from comes after buffered");
        }
    }
}

/// Warns of `items.map(work).buffer_unordered(8).checkpoint(&cursor, key)`, which skips items that are not done.
pub(super) fn warn_of_checkpoint<S, K>(cursor: &Cursor<K>)
where
    K: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    if is::<S>(&UNORDERED) {
        tracing::warn!(
            run = %cursor.handle().run_id(),
            "checkpoint comes after buffer_unordered: a resumed run skips items whose work was not done; use buffered, \
             which keeps their order"
        );
        cursor.handle().warn(
            "if this run is interrupted, it skips items that are not done, because checkpoint comes after \
             buffer_unordered",
        );
    }
}
