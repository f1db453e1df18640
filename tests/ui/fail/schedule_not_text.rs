use process_runtime::prelude::*;

#[process(title = "Cleaning up", schedule = 3)]
async fn clean_up() {
    stage("Old sessions");
}

fn main() {}
