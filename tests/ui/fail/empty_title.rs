use process_runtime::prelude::*;

#[process(title = " ")]
async fn recalculate_prices() {}

fn main() {}
