use process_runtime::prelude::*;

#[process(title = "Recalculating prices", route = "Recalculate Prices")]
async fn recalculate_prices() {}

fn main() {}
