use process_runtime::prelude::*;

#[process(title = "Deleting users", confirm = true)]
async fn delete_users() {}

fn main() {}
