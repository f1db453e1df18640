use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices(region: Region) {
    let _ = region;
}

fn main() {}
