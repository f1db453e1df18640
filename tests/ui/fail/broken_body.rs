use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices() -> Result<u32, std::fmt::Error> {
    set_progress(1);
    let total: u32 = "many";
    Ok(total)
}

fn main() {}
