use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices() {
    let total = ;
    set_progress(total);
}

fn main() {}
