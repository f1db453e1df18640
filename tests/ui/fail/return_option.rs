use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices() -> Option<u32> {
    None
}

fn main() {}
