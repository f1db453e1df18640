//! The shortest complete program: one process, its page and its stream, on <http://127.0.0.1:3000>.

use std::time::Duration;

use process_runtime::ServeError;
use process_runtime::prelude::*;

/// Counts to a hundred, slowly.
#[process(title = "Count to a hundred")]
async fn count_to_a_hundred() {
    for number in 1..=100 {
        tokio::time::sleep(Duration::from_millis(100)).await;
        set_progress_of(number, 100);
        set_progress_text(format!("At {number}"));
    }
}

#[tokio::main]
async fn main() -> Result<(), ServeError> {
    process_runtime::serve().await
}
