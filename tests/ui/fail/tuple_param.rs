use process_runtime::prelude::*;

#[process(title = "Blocking an address")]
async fn block_address(line: (u32, String)) {
    let _ = line;
}

fn main() {}
