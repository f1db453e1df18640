use process_runtime::prelude::*;

use tokio::runtime::Handle;
use tokio::task::JoinSet;

#[process(title = "Recalculating prices")]
async fn recalculate_prices() {
    let mut tasks = JoinSet::new();
    tasks.spawn_blocking_on(|| tally("recalculated"), &Handle::current());
    let _ = tasks.join_all().await;
}

fn main() {}
