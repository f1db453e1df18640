use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
mod prices {}

fn main() {}
