use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn recalculate_prices(#[field(default = "hunter2")] password: Secret<String>) {
    let _ = password;
}

fn main() {}
