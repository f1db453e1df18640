use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices(catalog: State<Catalogue>) {
    let _ = catalog;
}

fn main() {}
