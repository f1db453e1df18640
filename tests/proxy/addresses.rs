//! URLs behind nginx: paths and host names.

use process_tests::site::json;
use process_tests::{Program, Site};
use serde_json::json;

use super::PROGRAM;
use super::nginx::Nginx;

const FORM: &str = "application/x-www-form-urlencoded";

pub(crate) async fn pages_and_streams_keep_proxy_prefix() {
    let program = Program::start(PROGRAM, &[("PROCESS_TEST_MOUNTED_AT", "/jobs")]);
    let pass = format!("location /jobs/ {{ proxy_pass http://127.0.0.1:{}/; }}", program.port());
    let nginx = Nginx::start("", &pass);
    let site = Site::at(format!("{}/jobs", nginx.url()));
    let form = site.post("/count/start").header("content-type", FORM).body("total=3&pause=1");
    let answer = form.header("accept", "text/html").send().await.unwrap();
    assert_eq!(answer.status(), 303);
    let run = answer.headers()["location"].to_str().unwrap().strip_prefix("/jobs").unwrap().to_owned();
    assert_eq!(site.ended(&run).await["status"], "succeeded");
    let waiting = site.run("wait", json!({})).await;
    for path in ["/", "/count/show_progress", "/runs", &run, &waiting] {
        let page = site.get(path).header("accept", "text/html").send().await.unwrap();
        assert_eq!(page.status(), 200, "{path}");
        let html = page.text().await.unwrap();
        let attributes = ["href=\"/", "src=\"/", "action=\"/"];
        let links = attributes.iter().flat_map(|attribute| html.split(attribute).skip(1));
        let links: Vec<_> = links.filter_map(|rest| rest.split('"').next()).collect();
        assert!(links.len() >= 4, "{links:?}");
        for link in links {
            let answer = site.client.get(format!("{}/{link}", nginx.url())).send().await.unwrap();
            // nginx adds the slash to the prefix itself; controls are for POST; nothing may run at a start.
            let expected = if link == "jobs" { [301].as_slice() } else { &[200, 204, 405] };
            assert!(
                expected.contains(&answer.status().as_u16()),
                "{path} links to /{link}: {}",
                answer.status()
            );
        }
    }
    let index = site.get("/").header("accept", "text/html").send().await.unwrap().text().await.unwrap();
    assert!(index.contains(&format!("<process-progress src=\"/jobs{waiting}\"")), "{index}");
    let run = json(site.get(&run).send().await.unwrap()).await;
    assert!(run["links"]["events"].as_str().unwrap().starts_with("/jobs/runs/"), "{run}");
}

/// Over plain HTTP, a browser sends only `Origin` with a form, so the proxy must pass the host on.
pub(crate) async fn csrf_check_knows_the_proxied_host() {
    const NAME: &str = "shop.example.org:8080";
    let program =
        Program::start(PROGRAM, &[("PROCESS_HOSTS", "shop.example.org"), ("PROCESS_ACCESS", "anonymous")]);
    let pass = format!("proxy_pass http://127.0.0.1:{}; proxy_set_header Host $http_host;", program.port());
    let nginx = Nginx::start("", &format!("location / {{ {pass} }}"));
    let site = Site::at(nginx.url());
    for (host, origin, expected) in [
        (NAME, "http://shop.example.org:8080", 303),
        (NAME, "http://evil.example", 403),
        ("evil.example", "http://evil.example", 421),
    ] {
        let form = site.post("/says-nothing/start").header("host", host).header("origin", origin);
        let answer = form.header("content-type", FORM).header("accept", "text/html").send().await.unwrap();
        assert_eq!(answer.status(), expected, "{host} {origin}");
    }
}
