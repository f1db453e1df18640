use process_runtime::prelude::*;

#[process(title = "Recalculating prices", validate = check_percent)]
async fn recalculate_prices(percent: f64) {
    set_progress(percent);
}

fn check_percent() -> Result<(), String> {
    Ok(())
}

fn main() {}
