use process_runtime::prelude::*;

#[process("Recalculating prices")]
async fn recalculate_prices() {}

fn main() {}
