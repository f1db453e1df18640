use process_runtime::prelude::*;

#[process(title = "Importing orders", concurrency_key = region)]
async fn import_orders(customer: String, orders: u32) {
    log(format!("{customer}: {orders}"));
}

fn main() {}
