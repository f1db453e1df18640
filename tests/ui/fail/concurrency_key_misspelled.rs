use process_runtime::prelude::*;

#[process(title = "Importing orders", concurrency_key = costumer)]
async fn import_orders(customer: String) {
    log(customer);
}

fn main() {}
