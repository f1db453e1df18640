use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices(#[field(max = 2.5)] percent: u8) {
    let _ = percent;
}

fn main() {}
