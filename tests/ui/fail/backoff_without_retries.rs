use process_runtime::prelude::*;

#[process(title = "Importing orders", backoff = "10s")]
async fn import_orders() {}

fn main() {}
