use process_runtime::prelude::*;

trait Prices {
    #[process(title = "Recalculating prices")]
    async fn recalculate(percent: f64);
}

fn main() {}
