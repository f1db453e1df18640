use process_runtime::prelude::*;

#[process(title = "Recalculating prices", name = "Prices")]
async fn recalculate_prices() {}

fn main() {}
