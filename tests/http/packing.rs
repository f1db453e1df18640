//! Scripts and styles are compressed for clients that accept it; a compression layer does not delay streams.

use std::io::Read as _;

use axum::Router;
use flate2::read::GzDecoder;
use process_runtime::Branding;
use process_tests::{Events, Server, Site};
use reqwest::{Method, Response, StatusCode};
use serde_json::json;
use tempfile::TempDir;
use tower_http::compression::CompressionLayer;

/// What cannot be packed: an eight-pixel picture would only get longer.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

async fn asked(site: &Site, method: Method, path: &str, headers: &[(&str, &str)]) -> Response {
    let request = site.client.request(method, format!("{}{path}", site.url));
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap()
}

async fn get(site: &Site, path: &str, accept: &str) -> Response {
    asked(site, Method::GET, path, &[("accept-encoding", accept)]).await
}

fn unpacked(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    GzDecoder::new(bytes).read_to_end(&mut plain).unwrap();
    plain
}

/// Every file that the index names, and those whose names stay.
async fn files(site: &Site) -> Vec<String> {
    let html = site.get("/runs").header("accept", "text/html").send().await.unwrap().text().await.unwrap();
    let found = html.split('"').filter(|part| part.contains("/assets/"));
    let found = found.map(|part| part[part.find("/assets/").unwrap()..].to_owned());
    found.chain(["client.js", "process-progress.js"].map(|name| format!("/assets/{name}"))).collect()
}

#[tokio::test]
async fn pages_are_compressed_unless_they_could_leak() {
    use std::io::Read as _;

    let server = Server::built(tempfile::TempDir::new().unwrap(), "", |builder| {
        builder
            .authorize(async |_| Ok(process_runtime::Actor::named("ada")))
            .share_links(std::time::Duration::from_secs(600))
    })
    .await;
    let run = server.run("says-nothing", serde_json::json!({})).await;
    server.ended(&run).await;
    let page = async |path: &str, headers: &[(&str, &str)]| {
        let mut request = server.get(path).header("accept", "text/html");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        assert!(response.headers().get_all("vary").iter().any(|vary| vary == "accept-encoding"), "{path}");
        let is_packed = response.headers().get("content-encoding").is_some_and(|coding| coding == "gzip");
        (is_packed, response.bytes().await.unwrap())
    };
    for path in ["/", "/runs", "/count/show_progress", &run] {
        let (is_packed, packed) = page(path, &[("accept-encoding", "gzip")]).await;
        assert!(is_packed, "{path}");
        let mut whole = String::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut whole).unwrap();
        assert!(whole.ends_with("</html>") && packed.len() * 2 < whole.len(), "{path}");
        assert!(!page(path, &[]).await.0 && !page(path, &[("accept-encoding", "br")]).await.0, "{path}");
        let foreign = [("accept-encoding", "gzip"), ("sec-fetch-site", "cross-site")];
        assert!(!page(path, &foreign).await.0, "{path} from another site");
    }
    let shared = server.post(&format!("{run}/share")).header("accept", "text/html");
    let shared = shared.header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(shared.headers().get("content-encoding"), None);
    assert!(shared.text().await.unwrap().contains("share="), "it shows the token");
}

#[tokio::test]
async fn compressed_assets_equal_plain_ones() {
    for prefix in ["", "/a/b"] {
        let server = Server::nested(prefix).await;
        let files = files(&server).await;
        assert_eq!(files.len(), 5);
        for path in files {
            let plain = get(&server, &path, "gzip;q=0, br").await;
            assert_eq!(plain.headers().get("content-encoding"), None);
            let packed = get(&server, &path, "br;q=1, gzip;q=0.8").await;
            assert_eq!(packed.headers()["content-encoding"], "gzip");
            assert_eq!(packed.headers()["content-type"], plain.headers()["content-type"]);
            assert_ne!(packed.headers()["etag"], plain.headers()["etag"]);
            for response in [&plain, &packed] {
                let vary = response.headers()["vary"].to_str().unwrap();
                let by_language = path.ends_with("client.js") || path.ends_with("progress.js");
                let expected =
                    if by_language { "accept-encoding, accept-language" } else { "accept-encoding" };
                assert_eq!(vary, expected, "{path}");
            }
            let (plain, packed) = (plain.bytes().await.unwrap(), packed.bytes().await.unwrap());
            assert!(packed.len() * 2 < plain.len(), "{path}: {} of {}", packed.len(), plain.len());
            assert_eq!(unpacked(&packed), plain, "{path}");
        }
    }
}

#[tokio::test]
async fn matching_etag_is_304_per_encoding() {
    let server = Server::start().await;
    for path in files(&server).await {
        for accept in ["gzip", "identity"] {
            let response = get(&server, &path, accept).await;
            let tag = response.headers()["etag"].to_str().unwrap().to_owned();
            for known in [tag.clone(), format!("\"other\", {tag}"), format!("W/{tag}"), "*".to_owned()] {
                let headers = [("accept-encoding", accept), ("if-none-match", &known)];
                let again = asked(&server, Method::GET, &path, &headers).await;
                assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path} {accept} {known}");
                for name in ["etag", "vary", "cache-control"] {
                    assert_eq!(again.headers()[name], response.headers()[name], "{path}");
                }
                assert_eq!(again.bytes().await.unwrap().len(), 0);
            }
            let other = if accept == "gzip" { "identity" } else { "gzip" };
            let headers = [("accept-encoding", other), ("if-none-match", &tag)];
            assert_eq!(asked(&server, Method::GET, &path, &headers).await.status(), 200, "{path} {other}");
        }
    }
}

#[tokio::test]
async fn head_matches_get_headers() {
    for prefix in ["", "/a"] {
        let server = Server::nested(prefix).await;
        for path in files(&server).await {
            for accept in ["gzip", "identity"] {
                let head = asked(&server, Method::HEAD, &path, &[("accept-encoding", accept)]).await;
                let get = get(&server, &path, accept).await;
                for name in
                    ["content-type", "content-encoding", "content-length", "etag", "vary", "cache-control"]
                {
                    assert_eq!(head.headers().get(name), get.headers().get(name), "{path} {accept} {name}");
                }
                assert_eq!(head.bytes().await.unwrap().len(), 0);
                let length = get.headers()["content-length"].clone();
                assert_eq!(length, get.bytes().await.unwrap().len().to_string());
            }
        }
    }
}

#[tokio::test]
async fn incompressible_asset_goes_plain() {
    let look = Branding::new().logo("image/png", PNG);
    let server = Server::built(TempDir::new().unwrap(), "", |builder| builder.branding(look)).await;
    let logo = files(&server).await.into_iter().find(|path| path.ends_with(".png")).unwrap();
    let response = get(&server, &logo, "gzip").await;
    assert_eq!(response.headers().get("content-encoding"), None);
    assert_eq!(response.bytes().await.unwrap(), PNG);
}

#[tokio::test]
async fn compression_layer_leaves_streams_alone() {
    let server = Server::start().await;
    let router: Router = Router::new().nest("/a", server.processes.router()).layer(CompressionLayer::new());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = Site::at(format!("http://{}/a", listener.local_addr().unwrap()));
    tokio::spawn(async move { axum::serve(listener, router.into_make_service()).await });

    let page = [("accept-encoding", "gzip"), ("accept", "text/html")];
    let page = asked(&site, Method::GET, "/runs", &page).await;
    assert_eq!(page.headers()["content-encoding"], "gzip");
    assert!(String::from_utf8(unpacked(&page.bytes().await.unwrap())).unwrap().contains("<h1>History</h1>"));

    for path in files(&site).await {
        let (packed, plain) = (get(&site, &path, "gzip").await, get(&server, &path, "identity").await);
        assert_eq!(packed.headers().get_all("content-encoding").iter().collect::<Vec<_>>(), ["gzip"]);
        assert_eq!(unpacked(&packed.bytes().await.unwrap()), plain.bytes().await.unwrap(), "{path}");
    }

    // It does not end on its own: what arrives was not buffered.
    let run = site.run("wait", json!({})).await;
    let stream = get(&site, &format!("{run}/events"), "gzip").await;
    assert_eq!(stream.headers().get("content-encoding"), None);
    let mut events = Events::of(stream);
    assert_eq!(events.next().await.unwrap().name, "snapshot");
    asked(&site, Method::POST, &format!("{run}/cancel"), &[]).await;
    assert_eq!(events.all().await.last().unwrap().data["status"], "cancelled");
}
