use process_runtime::prelude::*;

struct Product;

#[derive(Field)]
struct Line {
    product: Option<Product>,
    quantity: u32,
}

#[process(title = "Recalculating prices")]
async fn recalculate_prices(line: Line) {
    let _ = line;
}

fn main() {}
