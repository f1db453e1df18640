use process_runtime::prelude::*;

#[process(title = "Blocking an address")]
async fn block_address(limit: axum::extract::State<u32>) {
    let _ = limit;
}

fn main() {}
