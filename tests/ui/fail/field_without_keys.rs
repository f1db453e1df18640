use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices(#[field] note: String) {
    log(note);
}

fn main() {}
