use process_runtime::prelude::*;

#[process(title = "Recalculating prices", validate = |input| Ok(()))]
async fn recalculate_prices(percent: f64) {
    set_progress(percent);
}

fn main() {}
