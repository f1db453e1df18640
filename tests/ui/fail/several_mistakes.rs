use process_runtime::prelude::*;

#[process(rout = "prices", group = "Admin")]
fn recalculate_prices(category: &str, _: f64) {
    log(category);
}

fn main() {}
