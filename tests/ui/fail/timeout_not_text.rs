use process_runtime::prelude::*;

#[process(title = "Importing orders", timeout = 600)]
async fn import_orders() {}

fn main() {}
