use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices(#[field(pattern = "[A-Z")] code: String) {
    let _ = code;
}

fn main() {}
