use process_runtime::prelude::*;

use std::sync::Mutex;

async fn save(_: u32) {}

#[process(title = "Recalculating prices")]
async fn recalculate_prices(total: State<Mutex<u32>>) {
    let Ok(total) = total.lock() else { return };
    save(*total).await;
    set_progress(*total);
}

fn main() {}
