use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices(percent: f64)
where
    f64: Send,
{
    set_progress(percent);
}

fn main() {}
