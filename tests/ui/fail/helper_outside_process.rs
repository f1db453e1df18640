use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices() {
    step();
}

fn step() {
    set_progress(1);
}

fn main() {}
