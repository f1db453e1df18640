use process_runtime::prelude::*;

#[process(title = "Recalculating prices")]
async fn __() {}

fn main() {}
