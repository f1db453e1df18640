use process_runtime::prelude::*;

#[derive(Field)]
enum Region {
    North,
    South,
}

#[process(title = "Recalculating prices")]
async fn recalculate_prices(#[field(default = "north")] region: Region) {
    let _ = region;
}

fn main() {}
