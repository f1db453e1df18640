use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices(_: f64) {}

fn main() {}
