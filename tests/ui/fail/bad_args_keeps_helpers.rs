use process_runtime::prelude::*;

#[process(title = "Recalculating prices", rout = "prices")]
async fn recalculate_prices(percent: f64) {
    process_start("Prices");
    set_progress(percent);
    set_progress_of(1, 2);
    set_progress_text("half");
    log("half");
    warn("half");
    end_process(percent)
}

pub async fn by_hand() -> &'static process_runtime::Process {
    let _ = RecalculatePrices::show_progress;
    recalculate_prices(1.0).await;
    RecalculatePrices::PROCESS
}

fn main() {}
