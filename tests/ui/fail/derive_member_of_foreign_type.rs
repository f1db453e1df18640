use process_runtime::prelude::*;

#[derive(Field)]
struct Rule {
    address: std::net::IpAddr,
    reason: String,
}

#[process(title = "Blocking an address")]
async fn block_address(rule: Rule) {
    let _ = rule;
}

fn main() {}
