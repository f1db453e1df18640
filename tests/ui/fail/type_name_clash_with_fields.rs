use process_runtime::prelude::*;

#[process(title = "Syncing")]
async fn sync_all(folder: String) {
    log(folder);
}

#[process(title = "Syncing everything")]
#[allow(non_snake_case)]
async fn syncAll(deep: bool) {
    let _ = deep;
}

fn main() {}
