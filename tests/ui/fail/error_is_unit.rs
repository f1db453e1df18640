use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices() -> Result<u32, ()> {
    Err(())
}

fn main() {}
