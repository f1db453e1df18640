use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices(#[field(min = 3)] code: String) {
    let _ = code;
}

fn main() {}
