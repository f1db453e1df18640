use process_runtime::prelude::*;

struct Prices;

#[process(title = "Recalculating prices")]
impl Prices {
    fn new() -> Self {
        Self
    }
}

fn main() {}
