use process_runtime::prelude::*;

#[process(title = "Blocking an address")]
async fn block_address(id: axum::extract::Path<u32>) {
    let _ = id;
}

fn main() {}
