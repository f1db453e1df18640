//! The shortest program whose runs survive: start one on <http://127.0.0.1:3000>, end the program in its middle,
//! by Ctrl-C or `kill -9`, start it again, and the run resumes.

use std::time::Duration;

use process_runtime::ServeError;
use process_runtime::prelude::*;

/// Writes a hundred letters. It can be paused, and resumes after a crash.
#[process(title = "Write a hundred letters")]
async fn write_letters(cursor: Cursor<u64>) {
    for number in (1..=100).resume_from(&cursor).progress() {
        tokio::time::sleep(Duration::from_millis(100)).await;
        log(format!("Letter {number} is written"));
    }
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    process_runtime::serve().await
}
