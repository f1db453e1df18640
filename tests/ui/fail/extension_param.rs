use process_runtime::prelude::*;

#[process(title = "Blocking an address")]
async fn block_address(limit: axum::Extension<u32>) {
    let _ = limit;
}

fn main() {}
