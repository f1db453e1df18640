use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices(category: &str) {
    log(category);
}

fn main() {}
