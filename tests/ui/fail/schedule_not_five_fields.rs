use process_runtime::prelude::*;

#[process(title = "Cleaning up", schedule = "every night")]
async fn clean_up() {}

fn main() {}
