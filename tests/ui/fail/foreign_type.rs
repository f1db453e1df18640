use process_runtime::prelude::*;

#[process(title = "Blocking an address")]
async fn block_address(ip: std::net::IpAddr) {
    let _ = ip;
}

fn main() {}
