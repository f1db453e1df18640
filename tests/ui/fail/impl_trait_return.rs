use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices() -> Result<impl serde::Serialize, std::fmt::Error> {
    Ok(1)
}

fn main() {}
