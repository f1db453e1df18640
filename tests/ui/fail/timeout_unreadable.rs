use process_runtime::prelude::*;

#[process(title = "Importing orders", timeout = "ten minutes")]
async fn import_orders() {}

fn main() {}
