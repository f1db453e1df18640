//! A share link shows one run to anyone who has it, and nothing else, while it is valid.

use std::time::Duration;

use process_runtime::{AccessRequest, Actor, Builder, Denied};
use process_tests::server::json;
use process_tests::{Events, Server};
use reqwest::Response;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Root may do everything, and everyone else nothing.
fn closed(builder: Builder) -> Builder {
    builder.reauthorize_every(Duration::from_millis(50)).authorize(async |request: AccessRequest| {
        match request.parts().headers.get("x-user").is_some_and(|user| user == "root") {
            true => Ok(Actor::named("root")),
            false => Err(Denied::not_found()),
        }
    })
}

async fn started(server: &Server, route: &str, input: Value) -> String {
    let request = server.post(&format!("/{route}/start")).header("content-type", "application/json");
    let response = request.header("x-user", "root").body(input.to_string()).send().await.unwrap();
    assert_eq!(response.status(), 201);
    format!("/runs/{}", json(response).await["id"].as_str().unwrap())
}

async fn ended(server: &Server, run: &str) {
    let events = server.get(&format!("{run}/events")).header("x-user", "root").send().await.unwrap();
    Events::of(events).all().await;
}

async fn share(server: &Server, run: &str, valid_for: &str) -> Response {
    let request = server.post(&format!("{run}/share")).header("x-user", "root");
    request
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("for={valid_for}"))
        .send()
        .await
        .unwrap()
}

/// The token of a link to this run.
async fn token(server: &Server, run: &str) -> String {
    let link = json(share(server, run, "1d").await).await["url"].as_str().unwrap().to_owned();
    link.split_once("?share=").unwrap().1.to_owned()
}

async fn status(server: &Server, path: &str, cookie: &str) -> u16 {
    server.get(path).header("cookie", cookie).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn browser_keeps_share_link_as_cookie() {
    let server = Server::built(TempDir::new().unwrap(), "/a/b", closed).await;
    let run = started(&server, "writes-a-file", json!({})).await;
    ended(&server, &run).await;
    let made = share(&server, &run, "12h").await;
    assert_eq!(made.status(), 201);
    let made = json(made).await;
    let url = made["url"].as_str().unwrap();
    assert!(url.starts_with(&format!("{}{run}?share=", server.url)), "{url}");
    assert_eq!(server.get(&run).send().await.unwrap().status(), 404);

    let address = format!("{}&lang=de", url.strip_prefix(&server.url).unwrap());
    let led = server.get(&address).header("accept", "text/html").send().await.unwrap();
    assert_eq!(led.status(), 303);
    assert_eq!(led.headers()["location"], format!("/a/b{run}?lang=de"));
    assert_eq!(led.headers()["referrer-policy"], "same-origin");
    assert_eq!(led.headers()["cache-control"], "no-store");
    let cookie = led.headers()["set-cookie"].to_str().unwrap().to_owned();
    for part in ["; Path=/a/b;", "; HttpOnly", "; SameSite=Lax", "; Max-Age=43"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "it came by plain HTTP");
    let cookie = cookie.split(';').next().unwrap();
    let page = server.get(&run).header("accept", "text/html").header("cookie", cookie).send().await.unwrap();
    assert_eq!(page.status(), 200);
    let page = page.text().await.unwrap();
    assert!(page.contains("report.txt\" download") && !page.contains("method=\"post\""), "{page}");
    assert!(!page.contains("/show_progress"), "the process is not shown: {page}");
    for path in ["/events", "/log", "/result", "/files/report.txt", "/compare", "/log?q=a"] {
        let expected = if path == "/result" { 404 } else { 200 };
        assert_eq!(status(&server, &format!("{run}{path}"), cookie).await, expected, "{path}");
    }
}

#[tokio::test]
async fn share_link_grants_only_its_run() {
    let server = Server::built(TempDir::new().unwrap(), "", closed).await;
    let run = started(&server, "wait", json!({})).await;
    let other = started(&server, "wait", json!({})).await;
    let token = token(&server, &run).await;
    let cookie = format!("process-share={token}");
    for path in ["/", "/runs", "/openapi.json"] {
        let text = server.get(path).header("cookie", &cookie).send().await.unwrap().text().await.unwrap();
        assert!(!text.contains("wait") && !text.contains(&run), "{path}: {text}");
    }
    let with = format!("?share={token}");
    for path in ["/wait/show_progress", "/wait/start", "/wait/schema.json", &other, &format!("{other}/log")] {
        assert_eq!(status(&server, path, &cookie).await, 404, "{path}");
        assert_eq!(status(&server, &format!("{path}{with}"), "").await, 404, "{path}");
    }
    for path in ["cancel", "cancel?force=yes", "pause", "resume", "retry", "share"] {
        let post = server.post(&format!("{run}/{path}")).header("cookie", &cookie).send().await.unwrap();
        assert_eq!(post.status(), 404, "{path}");
    }
    for path in ["/wait/start", &format!("/wait/start{with}"), &format!("{run}/cancel{with}")] {
        assert_eq!(server.post(path).send().await.unwrap().status(), 404, "{path}");
    }
    // A program sends the token in each URL, a browser as a cookie.
    for (path, cookie) in [(format!("{run}{with}"), ""), (run.clone(), cookie.as_str())] {
        let shown = server.get(&path).header("cookie", cookie).send().await.unwrap();
        assert_eq!(shown.status(), 200, "{path}");
        let shown = json(shown).await;
        let links: Vec<_> = shown["links"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(links, ["self", "events", "log", "result", "files", "inputs"]);
    }
    let both = format!("/events?run={}&run={}", id(&run), id(&other));
    let mut events = Events::of(server.get(&both).header("cookie", &cookie).send().await.unwrap());
    let mut names: Vec<_> =
        [events.next().await.unwrap(), events.next().await.unwrap()].map(|event| event.name).into();
    names.sort();
    assert_eq!(names, ["gone", "snapshot"]);
}

#[tokio::test]
async fn share_link_hides_original_of_retry() {
    let server = Server::built(TempDir::new().unwrap(), "", closed).await;
    let first = started(&server, "fails", json!({})).await;
    ended(&server, &first).await;
    let retry = server.post(&format!("{first}/retry")).header("x-user", "root").send().await.unwrap();
    let second = format!("/runs/{}", json(retry).await["id"].as_str().unwrap());
    let token = token(&server, &second).await;
    let page = async |header: &'static str, value: &str| {
        let request = server.get(&second).header("accept", "text/html").header(header, value);
        request.send().await.unwrap().text().await.unwrap()
    };
    assert!(page("x-user", "root").await.contains(&first));
    assert!(!page("cookie", &format!("process-share={token}")).await.contains(&first));
}

fn id(run: &str) -> &str {
    run.strip_prefix("/runs/").unwrap()
}

#[tokio::test]
async fn forged_share_token_is_refused() {
    let secret = |bytes: u8| move |builder: Builder| closed(builder).secret([bytes; 32]);
    let server = Server::built(TempDir::new().unwrap(), "", secret(1)).await;
    let run = started(&server, "wait", json!({})).await;
    let sound = token(&server, &run).await;
    assert_eq!(status(&server, &format!("{run}?share={sound}"), "").await, 200);
    let nowhere = status(&server, &run, "").await;
    assert_eq!(nowhere, 404);
    let other = started(&server, "wait", json!({})).await;
    let of_other = token(&server, &other).await;
    let flipped = |place: usize| {
        let mut bytes = sound.clone().into_bytes();
        bytes[place] = if bytes[place] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    };
    let forged = [
        String::new(),
        "x".repeat(10_000),
        of_other,
        sound[..sound.len() - 1].to_owned(),
        format!("{sound}A"),
        flipped(0),
        flipped(25),
        flipped(40),
    ];
    for token in forged {
        assert_eq!(status(&server, &format!("{run}?share={token}"), "").await, 404, "{token}");
        assert_eq!(status(&server, &run, &format!("process-share={token}")).await, 404, "{token}");
        let page =
            server.get(&format!("{run}?share={token}")).header("accept", "text/html").send().await.unwrap();
        assert_eq!((page.status().as_u16(), page.headers().get("set-cookie")), (404, None));
    }
    // Nodes with one secret know each other's links, and others do not.
    let same = Server::built(TempDir::new().unwrap(), "", secret(1)).await;
    let different = Server::built(TempDir::new().unwrap(), "", secret(2)).await;
    let run = started(&same, "wait", json!({})).await;
    let run_id = id(&run).parse().unwrap();
    let made_elsewhere = server.processes.share(run_id, Duration::from_secs(60));
    assert_eq!(status(&same, &made_elsewhere, "").await, 200);
    let foreign = different.processes.share(run_id, Duration::from_secs(60));
    assert_eq!(status(&same, &foreign, "").await, 404);
}

#[tokio::test]
async fn expired_share_link_ends_streams() {
    let server = Server::built(TempDir::new().unwrap(), "", closed).await;
    let run = started(&server, "chat", json!({ "lines": 100_000, "pause": 20 })).await;
    let link = server.processes.share(id(&run).parse().unwrap(), Duration::from_secs(2));
    let (path, token) = link.split_once('?').unwrap();
    assert_eq!(path, run);
    let events = server.get(&format!("{run}/events?{token}")).send().await.unwrap();
    let all = tokio::time::timeout(Duration::from_secs(20), Events::of(events).all()).await.unwrap();
    assert_eq!(all.last().unwrap().name, "gone");
    assert!(all.len() > 1);
    assert_eq!(status(&server, &link, "").await, 404);
}

#[tokio::test]
async fn share_link_expiry_is_capped() {
    let day = 86_400;
    let server = Server::built(TempDir::new().unwrap(), "", |builder| {
        closed(builder).share_links(Duration::from_secs(10 * 86_400))
    })
    .await;
    let run = started(&server, "wait", json!({})).await;
    for (asked, seconds) in
        [("", 7 * day), ("1d", day), ("90m", 5_400), ("2w", 10 * day), ("4000000000w", 10 * day)]
    {
        let made = share(&server, &run, asked).await;
        assert_eq!(made.status(), 201, "{asked}");
        let until: jiff::Timestamp = json(made).await["expires_at"].as_str().unwrap().parse().unwrap();
        let left = until.as_second() - jiff::Timestamp::now().as_second();
        assert!((seconds - 5..=seconds).contains(&left), "{asked}: {left}");
    }
    for odd in ["soon", "0d", "-1d", "7"] {
        assert_eq!(share(&server, &run, odd).await.status(), 422, "{odd}");
    }
}

#[tokio::test]
async fn control_permission_creates_share_link() {
    let server = Server::built(TempDir::new().unwrap(), "", closed).await;
    let run = started(&server, "wait", json!({})).await;
    let page = async |request: reqwest::RequestBuilder| {
        let request = request.header("accept", "text/html").header("x-user", "root");
        request.send().await.unwrap().text().await.unwrap()
    };
    assert!(page(server.get(&run)).await.contains(&format!("action=\"{run}/share\"")));
    let shared = page(server.post(&format!("{run}/share")).header("origin", &server.url)).await;
    let link =
        shared.split("value=\"").find(|part| part.contains("?share=")).unwrap().split('"').next().unwrap();
    assert!(link.starts_with(&format!("{}{run}?share=", server.url)), "{link}");
    let site = process_tests::Site::at("");
    assert_eq!(site.get(link).send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn disabled_or_needless_sharing_is_refused() {
    let off = Server::built(TempDir::new().unwrap(), "", |builder| closed(builder).share_links(None)).await;
    let run = started(&off, "wait", json!({})).await;
    assert_eq!(share(&off, &run, "1d").await.status(), 409);
    let open = Server::start().await;
    let shown = started(&open, "wait", json!({})).await;
    assert_eq!(share(&open, &shown, "1d").await.status(), 409);
    for (server, run) in [(&off, &run), (&open, &shown)] {
        let id = id(run).parse().unwrap();
        assert_eq!(server.processes.share(id, Duration::from_secs(60)), **run);
        let page =
            server.get(run).header("accept", "text/html").header("x-user", "root").send().await.unwrap();
        assert!(!page.text().await.unwrap().contains("/share\""));
        assert!(!server.folder.path().join("secret").exists());
    }
}

#[tokio::test]
async fn share_secret_file_is_private() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().to_owned();
    let file = path.join("secret");
    let link = {
        let server = Server::built(folder, "", closed).await;
        let run = started(&server, "says-nothing", json!({})).await;
        ended(&server, &run).await;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        server.processes.share(id(&run).parse().unwrap(), Duration::from_secs(600))
    };
    assert!(link.contains("?share="));
    let error = closed(process_runtime::builder().data_dir(TempDir::new().unwrap().path()))
        .state_arc(std::sync::Arc::new(process_tests::fixtures::Traces::default()))
        .secret(*b"too short")
        .build()
        .unwrap_err();
    assert!(error.to_string().contains("9 bytes") && error.to_string().contains("at least 32"), "{error}");
}
