use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices<T: Send + Sync + 'static>(catalog: State<T>) {
    let _ = catalog;
}

fn main() {}
