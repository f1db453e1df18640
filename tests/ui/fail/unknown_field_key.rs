use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices(#[field(lable = "Percent")] percent: f64) {
    set_progress(percent);
}

fn main() {}
