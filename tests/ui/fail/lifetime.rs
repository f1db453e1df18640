use process_runtime::prelude::*;

struct Catalog<'a>(&'a str);

#[process(title = "Recalculating prices")]
async fn recalculate_prices<'a>(catalog: State<Catalog<'a>>) {
    log(catalog.0);
}

fn main() {}
