use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices(category: impl Into<String>) {
    log(category);
}

fn main() {}
