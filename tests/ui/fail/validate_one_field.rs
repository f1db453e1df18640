use process_runtime::prelude::*;

#[process(title = "Recalculating prices", validate = check_percent)]
async fn recalculate_prices(percent: f64) {
    set_progress(percent);
}

fn check_percent(percent: &f64) -> Result<(), String> {
    (*percent > 0.0).then_some(()).ok_or_else(|| "too low".to_owned())
}

fn main() {}
