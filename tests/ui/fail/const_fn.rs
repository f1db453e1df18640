use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
const fn recalculate_prices() {}

fn main() {}
