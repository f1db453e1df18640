use process_runtime::prelude::*;

#[process(title = "Recalculating prices", group = "shop/admin_area")]
async fn recalculate_prices() {}

fn main() {}
