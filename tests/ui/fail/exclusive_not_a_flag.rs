use process_runtime::prelude::*;

#[process(title = "Importing orders", exclusive = "yes")]
async fn import_orders() {}

fn main() {}
