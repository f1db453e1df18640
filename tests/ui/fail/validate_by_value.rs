use process_runtime::prelude::*;

#[process(title = "Recalculating prices", validate = check_percent)]
async fn recalculate_prices(percent: f64) {
    set_progress(percent);
}

fn check_percent(input: RecalculatePricesInput) -> Result<(), String> {
    (input.percent > 0.0).then_some(()).ok_or_else(|| "too low".to_owned())
}

fn main() {}
