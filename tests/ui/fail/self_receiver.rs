use process_runtime::prelude::*;

struct Catalog;

impl Catalog {
    #[process(title = "Recalculating prices")]
    async fn recalculate_prices(&self) {
        set_progress(1);
    }
}

fn main() {}
