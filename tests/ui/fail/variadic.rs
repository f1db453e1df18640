use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices(percent: f64, _: ...) {
    set_progress(percent);
}

fn main() {}
