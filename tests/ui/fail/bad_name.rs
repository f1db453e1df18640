use process_runtime::prelude::*;

#[process(title = "Recalculating prices", name = recalculate_prices_now)]
async fn recalculate_prices() {}

fn main() {}
