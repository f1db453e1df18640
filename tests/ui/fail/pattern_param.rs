use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices((from, to): (u32, u32)) {
    set_progress_of(from, to);
}

fn main() {}
