use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices(#[field(choices = [1, "M"])] size: u8) {
    let _ = size;
}

fn main() {}
