use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices(#[field(default = "ten")] percent: f64) {
    set_progress(percent);
}

fn main() {}
