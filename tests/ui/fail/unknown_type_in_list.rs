use process_runtime::prelude::*;

#[process(title = "Recalculating prices", name = Prices)]
async fn recalculate_prices(region: Vec<Region>) {
    let _ = region;
}

fn main() {}
