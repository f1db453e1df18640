use process_runtime::prelude::*;

struct Db(std::cell::Cell<u32>);

#[process(title = "Recalculating prices")]
async fn recalculate_prices(db: State<Db>) {
    let _ = db.0.take();
}

fn main() {}
