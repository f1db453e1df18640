use process_runtime::prelude::*;

use std::rc::Rc;

async fn save(_: &str) {}

#[process(title = "Recalculating prices")]
async fn recalculate_prices() {
    let names = Rc::new(String::from("lamp"));
    save(&names).await;
    log(names.as_str());
}

fn main() {}
