//! Processes that are interrupted and resume in a changed program.

use std::time::Duration;

use process_runtime::prelude::*;

use crate::survivors::note;

/// Imports 400 rows in batches, of a size that another version of the program may have changed.
#[process(title = "Importing in batches", concurrency = 4)]
pub async fn imports_in_batches(
    cursor: Cursor<u64>,
    folder: String,
    #[field(help = "Tells the batches apart by their rows")] keyed: bool,
) {
    cursor.repeat_at_most(1);
    let batch = std::env::var("PROCESS_TEST_BATCH").map_or(10, |size| size.parse().unwrap());
    let rows: Vec<u64> = (1..=400).collect();
    let rows = rows.chunks(batch);
    let key = |rows: &&[u64]| (rows[0], rows.len());
    let batches: Box<dyn Iterator<Item = &[u64]> + Send> = if keyed {
        Box::new(rows.resume_from_keyed(&cursor, key).progress())
    } else {
        Box::new(rows.resume_from(&cursor).progress())
    };
    for rows in batches {
        for row in rows {
            note(&folder, &row.to_string());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Counts each item before it is done, slowly.
#[process(title = "Counting what it does", concurrency = 4)]
pub async fn counts_what_it_does(cursor: Cursor<u64>, #[field(default = 60)] items: u64) {
    stage("Doing");
    for item in (1..=items).resume_from(&cursor).progress() {
        tally("touched");
        match item % 3 {
            0 => item_failed(item, "it is divided by three"),
            _ => tally("done"),
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    stage("Over");
}
