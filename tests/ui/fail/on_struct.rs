use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
struct Prices;

fn main() {}
