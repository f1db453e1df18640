use process_runtime::prelude::*;

#[process(title = "Importing orders", concurrency_key = catalog)]
async fn import_orders(catalog: State<Vec<u8>>, customer: String) {
    log(format!("{customer}: {}", catalog.len()));
}

fn main() {}
