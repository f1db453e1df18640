use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async unsafe fn recalculate_prices() {}

fn main() {}
