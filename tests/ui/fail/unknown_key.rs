use process_runtime::prelude::*;

#[process(titel = "Recalculating prices")]
async fn recalculate_prices() {}

fn main() {}
