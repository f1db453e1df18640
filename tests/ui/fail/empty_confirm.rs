use process_runtime::prelude::*;

#[process(title = "Deleting users", confirm = " ")]
async fn delete_users() {}

fn main() {}
