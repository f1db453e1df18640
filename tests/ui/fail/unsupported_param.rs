use process_runtime::prelude::*;

struct Order;

#[process(title = "Recalculating prices")]
async fn recalculate_prices(order: Order) {
    let _ = order;
}

fn main() {}
