use process_runtime::prelude::*;

#[process(group = "admin")]
async fn recalculate_prices() {
    set_progress(1);
}

fn main() {}
