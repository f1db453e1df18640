use process_runtime::prelude::*;

#[process(title = "Recalculating prices", validate = LEAST)]
async fn recalculate_prices(percent: f64) {
    set_progress(percent);
}

const LEAST: f64 = 0.5;

fn main() {}
