use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices() -> i32 {
    1
}

fn main() {}
