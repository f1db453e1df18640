use process_runtime::prelude::*;

#[process(title = "Blocking an address")]
async fn block_address(file: &std::path::Path) {
    let _ = file;
}

fn main() {}
