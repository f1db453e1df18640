use process_runtime::prelude::*;

struct Db;

#[process(title = "Recalculating prices")]
async fn recalculate_prices(#[field(label = "Database")] db: State<Db>) {
    let _ = db;
}

fn main() {}
