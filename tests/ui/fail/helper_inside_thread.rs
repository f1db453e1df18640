use process_runtime::prelude::*;

use std::thread;

#[process(title = "Recalculating prices")]
async fn recalculate_prices() {
    let done = thread::spawn(|| set_progress(100));
    let _ = done.join();
}

fn main() {}
