use process_runtime::prelude::*;

#[process(title = "Importing orders", priority = 1001)]
async fn import_orders() {}

fn main() {}
