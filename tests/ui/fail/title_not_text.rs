use process_runtime::prelude::*;

#[process(title = 5)]
async fn recalculate_prices() {}

fn main() {}
