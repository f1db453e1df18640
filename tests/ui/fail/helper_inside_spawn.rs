use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices() {
    let task = tokio::spawn(async move {
        for step in 0..10 {
            set_progress_of(step, 10);
        }
    });
    let _ = task.await;
    let mut tasks = tokio::task::JoinSet::new();
    tasks.spawn(async { tally("recalculated") });
    std::thread::scope(|scope| {
        scope.spawn(|| log("recalculated"));
    });
}

fn main() {}
