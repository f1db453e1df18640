use process_runtime::prelude::*;

#[process(title = "Importing orders")]
async fn import_orders(#[field(multiline placeholder = "A line each")] orders: String) {
    log(orders);
}

fn main() {}
