use process_runtime::prelude::*;

#[process(title = "Importing orders", concurrency = 0, timeout = "soon", retries = 101, backoff = "10s")]
async fn import_orders() {
    while !shutting_down() {}
}

fn main() {}
