use process_runtime::prelude::*;

#[process(title = "Importing orders", timeout = "0s")]
async fn import_orders() {}

fn main() {}
