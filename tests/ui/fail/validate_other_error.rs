use process_runtime::prelude::*;

#[process(title = "Recalculating prices", validate = check_percent)]
async fn recalculate_prices(percent: f64) {
    set_progress(percent);
}

enum Wrong {
    TooLow,
}

fn check_percent(input: &RecalculatePricesInput) -> Result<(), Wrong> {
    (input.percent > 0.0).then_some(()).ok_or(Wrong::TooLow)
}

fn main() {}
