use process_runtime::prelude::*;

#[derive(Field)]
struct Line {
    #[field(lable = "How many")]
    quantity: u32,
}

#[process(title = "Recalculating prices")]
async fn recalculate_prices(line: Line) {
    let _ = line;
}

fn main() {}
