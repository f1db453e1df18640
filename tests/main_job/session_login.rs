//! The session login example, over HTTP.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use process_tests::server::json;
use process_tests::{Events, Site};
use reqwest::Response;
use tempfile::TempDir;

struct Example {
    site: Site,
    child: Child,
    _folder: TempDir,
}

impl Drop for Example {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Example {
    fn start() -> Self {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(workspace).args(["build", "--quiet", "--locked", "--workspace"]);
        // Built as a test, so that dependencies are compiled already.
        assert!(cargo.args(["--example", "session_login", "--test", "house"]).status().unwrap().success());
        let target = std::env::current_exe().unwrap();
        let program = format!("examples/session_login{}", std::env::consts::EXE_SUFFIX);
        let folder = TempDir::new().unwrap();
        let mut command = Command::new(target.ancestors().nth(2).unwrap().join(program));
        command.env("PROCESS_ADDR", "127.0.0.1:0").env("PROCESS_DATA", folder.path());
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut first = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        Self { site: Site::at(first.trim().trim_end_matches('/')), child, _folder: folder }
    }

    async fn get(&self, path: &str, cookie: &str) -> Response {
        let request = self.site.get(path).header("cookie", cookie).header("accept", "text/html");
        request.send().await.unwrap()
    }

    /// Signs in, and returns the session's cookie and the redirect target.
    async fn sign_in(&self, name: &str, password: &str, next: &str) -> Option<(String, String)> {
        let request = self.site.post(&format!("/login?next={next}"));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(format!("name={name}&password={password}")).send().await.unwrap();
        let cookie =
            answer.headers().get("set-cookie")?.to_str().unwrap().split(';').next().unwrap().to_owned();
        Some((cookie, answer.headers().get("location")?.to_str().unwrap().to_owned()))
    }
}

#[tokio::test]
async fn signed_in_users_see_their_runs() {
    let example = Example::start();
    // A visitor is redirected to the form, and back.
    let led = example.get("/jobs/office/pay-wages/show_progress", "").await;
    assert_eq!(led.status(), 303);
    let login = led.headers()["location"].to_str().unwrap().to_owned();
    assert_eq!(login, "/login?next=/jobs/office/pay-wages/show_progress");
    assert_eq!(example.get(&login, "").await.status(), 200);
    assert_eq!(example.sign_in("ann", "wrong", "/jobs").await, None);
    let (ann, next) = example.sign_in("ann", "lamp", "/jobs/office/pay-wages/show_progress").await.unwrap();
    assert_eq!(next, "/jobs/office/pay-wages/show_progress");
    let elsewhere = [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "/%09/evil.example",
        "/%2509/evil.example",
    ];
    for elsewhere in elsewhere {
        assert_eq!(example.sign_in("bob", "lamp", elsewhere).await.unwrap().1, "/jobs", "{elsewhere}");
    }
    let (bob, _) = example.sign_in("bob", "lamp", "/jobs").await.unwrap();
    assert_ne!(ann, bob);

    let started = example.site.post("/jobs/count-lamps/start").header("cookie", &ann).send().await.unwrap();
    assert_eq!(started.status(), 201);
    let run = json(started).await;
    assert_eq!(run["actor"], "ann");
    let address = run["links"]["self"].as_str().unwrap();
    let of_ann = example.get(address, &ann).await.text().await.unwrap();
    let of_bob = example.get(address, &bob).await.text().await.unwrap();
    assert!(of_ann.contains("/cancel\"") && !of_bob.contains("/cancel\""));
    for (path, status) in [(format!("{address}/cancel"), 403), ("/jobs/count-lamps/start".into(), 403)] {
        let refused = example.site.post(&path).header("cookie", &bob).send().await.unwrap();
        assert_eq!(refused.status(), status, "{path}");
    }
    assert_eq!(example.get("/jobs/office/pay-wages/show_progress", &bob).await.status(), 404);
    assert_eq!(example.get("/jobs/office/pay-wages/show_progress", &ann).await.status(), 200);
    let index = example.get("/jobs", &bob).await.text().await.unwrap();
    assert!(index.contains("Count the lamps") && !index.contains("Pay the wages"), "{index}");

    // After a sign-out, the visitor is unknown again.
    let stream = example.site.get(&format!("{address}/events")).header("cookie", &bob).send().await.unwrap();
    assert_eq!(Events::of(stream).next().await.unwrap().name, "snapshot");
    example.site.post("/logout").header("cookie", &bob).send().await.unwrap();
    assert_eq!(example.get("/jobs", &bob).await.status(), 303);
    let stream = example.site.get(&format!("{address}/events")).header("cookie", &bob).send().await.unwrap();
    assert_eq!(stream.status(), 401);
}
