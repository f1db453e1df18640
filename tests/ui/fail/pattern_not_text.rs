use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices(#[field(pattern = 5)] code: String) {
    let _ = code;
}

fn main() {}
