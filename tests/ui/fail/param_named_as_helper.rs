use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices(log: String) {
    set_progress_text(log);
}

fn main() {}
