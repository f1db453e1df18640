use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async extern "C" fn recalculate_prices() {}

fn main() {}
