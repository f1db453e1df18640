use process_runtime::prelude::*;

#[process(title = "Importing orders", retries = -1)]
async fn import_orders() {}

fn main() {}
