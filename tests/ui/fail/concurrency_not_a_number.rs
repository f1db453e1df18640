use process_runtime::prelude::*;

#[process(title = "Importing orders", concurrency = "3")]
async fn import_orders() {}

fn main() {}
