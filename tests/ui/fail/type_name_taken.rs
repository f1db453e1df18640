use process_runtime::prelude::*;

pub struct RecalculatePrices {
    pub percent: f64,
}

#[process(title = "Recalculating prices")]
async fn recalculate_prices() {}

fn main() {}
