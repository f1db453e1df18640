//! A process at the end of a chain of libraries.

use process_runtime::prelude::*;

/// A process two libraries away from the program.
#[process(title = "At the end of the chain")]
pub async fn at_end_of_chain() {}
