//! Damaged records: left out of every answer.

use process_runtime::store::postgres::PgOptions;
use process_runtime::store::{RunFilter, Store, StoreError};
use process_tests::conformance::{run_of, started};

use super::{schema, sql, url};

/// It is left out, and neither ends the list nor repeats a part of it.
#[tokio::test]
async fn damaged_record_is_left_out_of_lists() {
    let schema = schema();
    let store = PgOptions::new(url()).schema(schema.clone()).connect().await.unwrap();
    let mut sound = Vec::new();
    for index in 0..5 {
        let run = started(&store, run_of("count")).await;
        if index == 2 {
            sql(&format!("UPDATE \"{schema}\".run SET crc = 0 WHERE id = '{}'", run.id)).await;
            assert!(matches!(store.run(run.id).await, Err(StoreError::Damaged(_))));
        } else {
            sound.insert(0, run.id);
        }
    }
    for limit in 1..=5 {
        let (mut listed, mut filter) = (Vec::new(), RunFilter::default().limit(limit));
        loop {
            let slice = store.run_slice(filter.clone()).await.unwrap();
            listed.extend(slice.runs.iter().map(|run| run.id));
            filter.after = slice.next;
            if filter.after.is_none() {
                break;
            }
        }
        assert_eq!(listed, sound, "{limit}");
    }
}
