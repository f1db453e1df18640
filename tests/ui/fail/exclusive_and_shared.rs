use process_runtime::prelude::*;

#[process(title = "Importing orders", exclusive, concurrency = 3)]
async fn import_orders() {}

fn main() {}
