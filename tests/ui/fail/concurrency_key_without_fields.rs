use process_runtime::prelude::*;

#[process(title = "Importing orders", concurrency_key = progress)]
async fn import_orders(progress: Progress) {
    progress.log("begun");
}

fn main() {}
