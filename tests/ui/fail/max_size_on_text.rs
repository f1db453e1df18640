use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices(#[field(max_size = 1000)] code: String) {
    let _ = code;
}

fn main() {}
