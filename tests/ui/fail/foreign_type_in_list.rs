use process_runtime::prelude::*;

#[process(title = "Blocking an address")]
async fn block_address(addresses: Vec<std::net::IpAddr>) {
    let _ = addresses;
}

fn main() {}
