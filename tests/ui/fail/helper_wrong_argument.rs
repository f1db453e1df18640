use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices() {
    set_progress("half");
}

fn main() {}
