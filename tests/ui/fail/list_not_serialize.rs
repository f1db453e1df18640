use process_runtime::prelude::*;

struct Product;

#[process(title = "Recalculating prices")]
async fn recalculate_prices() -> Result<Vec<Product>, String> {
    Ok(Vec::new())
}

fn main() {}
