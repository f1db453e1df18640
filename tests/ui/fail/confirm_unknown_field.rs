use process_runtime::prelude::*;

#[process(title = "Deleting", confirm = "Really delete {coutn} customers?")]
async fn delete_customers(count: u32) {
    log(format!("{count}"));
}

fn main() {}
