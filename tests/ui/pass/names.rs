//! How functions become types and routes.
#![deny(warnings)]

use process_runtime::prelude::*;

#[process(title = "HTTP/2")]
async fn sync_http2_v2() {}

#[process(title = "Raw")]
async fn r#move(r#type: String) {
    log(r#type);
}

#[process(title = "Größe")]
async fn größe_neu(länge: u32) {
    set_progress(länge);
}

#[process(title = "Named", name = Nightly, route = "every-night")]
async fn _named() {}

#[process(title = "Only named", name = HTTPSync)]
async fn only_named() {}

#[process(title = "In a group the runtime's names are free", group = "shop", route = "runs")]
async fn shop_runs() {}

fn main() {
    let found = [
        SyncHttp2V2::PROCESS,
        Move::PROCESS,
        GrößeNeu::PROCESS,
        Nightly::PROCESS,
        HTTPSync::PROCESS,
        ShopRuns::PROCESS,
    ]
    .map(|process| (process.name, process.route()));
    let expected = [
        ("SyncHttp2V2", "sync-http2-v2"),
        ("Move", "move"),
        ("GrößeNeu", "größe-neu"),
        ("Nightly", "every-night"),
        ("HTTPSync", "http-sync"),
        ("ShopRuns", "shop/runs"),
    ]
    .map(|(name, route)| (name, route.to_owned()));
    assert_eq!(found, expected);
    assert_eq!(Move::PROCESS.fields()[0].name, "type");
    assert_eq!(GrößeNeu::PROCESS.fields()[0].label, "Länge");
}
