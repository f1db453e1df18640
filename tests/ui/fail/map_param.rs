use process_runtime::prelude::*;

use std::collections::HashMap;

#[process(title = "Blocking an address")]
async fn block_address(counts: HashMap<String, u32>) {
    let _ = counts;
}

fn main() {}
