use process_runtime::prelude::*;

#[process(title = "Recalculating prices" group = "admin")]
async fn recalculate_prices() {}

fn main() {}
