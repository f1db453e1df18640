use process_runtime::prelude::*;

#[process(title = "Sending")]
async fn send(#[field(pattern_message = "Enter five digits")] zip: String) {
    log(zip);
}

fn main() {}
