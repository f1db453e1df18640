use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices(#[cfg(debug_assertions)] percent: f64) {
    set_progress(percent);
}

fn main() {}
