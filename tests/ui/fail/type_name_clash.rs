use process_runtime::prelude::*;

#[process(title = "Syncing")]
async fn sync_all() {}

#[process(title = "Syncing everything")]
#[allow(non_snake_case)]
async fn syncAll() {}

fn main() {}
