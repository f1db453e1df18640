use process_runtime::prelude::*;

#[process(title = "Importing orders", concurrency_key = customer)]
async fn import_orders(customer: &str) {
    log(customer);
}

fn main() {}
