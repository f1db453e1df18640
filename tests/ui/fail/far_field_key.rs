use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices(#[field(colour = "red")] note: String) {
    let _ = note;
}

fn main() {}
