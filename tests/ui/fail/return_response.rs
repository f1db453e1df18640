use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices() -> axum::response::Response {
    axum::response::Response::default()
}

fn main() {}
