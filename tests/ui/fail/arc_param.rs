use process_runtime::prelude::*;

use std::sync::Arc;

struct Db;

#[process(title = "Recalculating prices")]
async fn recalculate_prices(db: Arc<Db>) {
    let _ = db;
}

fn main() {}
