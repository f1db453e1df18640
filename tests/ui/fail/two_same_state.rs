use process_runtime::prelude::*;

struct Db;

#[process(title = "Recalculating prices")]
async fn recalculate_prices(old: State<Db>, new: State<Db>) {
    let _ = (old, new);
}

fn main() {}
