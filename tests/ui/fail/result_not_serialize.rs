use process_runtime::prelude::*;

struct Summary;

#[process(title = "Recalculating prices")]
async fn recalculate_prices() -> Result<Summary, std::fmt::Error> {
    Ok(Summary)
}

fn main() {}
