use process_runtime::prelude::*;

#[derive(Field)]
struct Line {
    article: Option<Article>,
    quantity: u32,
}

#[process(title = "Recalculating prices")]
async fn recalculate_prices(line: Line) {
    let _ = line;
}

fn main() {}
