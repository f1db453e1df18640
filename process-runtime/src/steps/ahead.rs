//! Warns of streams that work on several items at a time where a place is kept behind them that does not fit.

use std::any::type_name;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cursor::Cursor;

/// The adapters of `futures` that begin with items before those in front of them are done. What they are called is all
/// that can be seen of a stream; one in a box goes unnoticed.
const AHEAD: [&str; 4] = ["Buffered<", "BufferUnordered<", "FuturesUnordered<", "FuturesOrdered<"];
/// Those that give items as they are done, in no order.
const UNORDERED: [&str; 2] = ["BufferUnordered<", "FuturesUnordered<"];

fn is<S>(adapters: &[&str]) -> bool {
    let name = type_name::<S>();
    adapters.iter().any(|adapter| name.contains(adapter))
}

/// Of `items.map(work).buffered(8).resume_from(&cursor)`: what is left out is done again. Authors hear of it at once,
/// and people who watch a run when it happens.
pub(super) fn warn_of_resume<S, K>(cursor: &Cursor<K>)
where
    K: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    if is::<S>(&AHEAD) {
        tracing::warn!(
            run = %cursor.handle().run_id(),
            "resume_from stands behind buffered: a run that goes on does the work of all items again; let the source \
             begin behind the cursor, and keep the place with checkpoint"
        );
        if cursor.get().is_some() {
            cursor.handle().warn(
                "the work of the items that are done is done again: resume_from stands behind buffered",
            );
        }
    }
}

/// Of `items.map(work).buffer_unordered(8).checkpoint(&cursor, key)`: items that are not done are left out.
pub(super) fn warn_of_checkpoint<S, K>(cursor: &Cursor<K>)
where
    K: Serialize + DeserializeOwned + Send + Sync + 'static,
{
    if is::<S>(&UNORDERED) {
        tracing::warn!(
            run = %cursor.handle().run_id(),
            "checkpoint stands behind buffer_unordered: a run that goes on leaves out items whose work was not done; \
             use buffered, which keeps their order"
        );
        cursor.handle().warn(
            "should this run be cut off, it leaves out items that are not done: checkpoint stands behind \
             buffer_unordered",
        );
    }
}
