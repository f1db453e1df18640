use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
#[process(title = "Prices")]
async fn recalculate_prices() {
    set_progress(1);
}

fn main() {}
