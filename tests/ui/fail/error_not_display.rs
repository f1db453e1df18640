use process_runtime::prelude::*;

#[derive(Debug)]
struct Failure;

#[process(title = "Recalculating prices")]
async fn recalculate_prices() -> Result<u32, Failure> {
    Err(Failure)
}

fn main() {}
