use process_runtime::prelude::*;

#[process(title = "Assets")]
async fn assets() {}

fn main() {}
