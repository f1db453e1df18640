use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices() -> ! {
    loop {}
}

fn main() {}
