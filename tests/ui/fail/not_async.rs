use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
fn recalculate_prices() {
    set_progress(1);
}

fn main() {}
