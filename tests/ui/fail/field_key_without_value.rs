use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices(#[field(label)] note: String) {
    let _ = note;
}

fn main() {}
