use process_runtime::prelude::*;

#[process(title = "Recalculating prices", group = "runs")]
async fn recalculate_prices() {}

fn main() {}
