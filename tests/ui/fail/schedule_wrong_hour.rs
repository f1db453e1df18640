use process_runtime::prelude::*;

#[process(title = "Cleaning up", schedule = "0 24 * * *")]
async fn clean_up() {}

fn main() {}
