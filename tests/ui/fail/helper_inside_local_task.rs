use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices() {
    let _ = tokio::task::spawn_local(async { log("recalculated") }).await;
}

fn main() {}
