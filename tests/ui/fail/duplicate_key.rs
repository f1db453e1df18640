use process_runtime::prelude::*;

#[process(title = "Recalculating prices", title = "Prices")]
async fn recalculate_prices() {}

fn main() {}
