use process_runtime::prelude::*;

#[process(title = "Importing orders", exclusive priority = 3)]
async fn import_orders() {}

fn main() {}
