//! A secret reaches the body of its run, and nothing else: no file, no page, no stream, no log.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};

use process_runtime::{Secret, StartError};
use process_tests::fields::{Login, SignsIn, SignsInInput};
use process_tests::forms::{answer, errors, page, places, started};
use process_tests::{Multipart, Server};
use serde_json::{Value, json};

const ROUTE: &str = "fields/signs-in";
const CANARY: &str = "kanarienvogel-7e57";
const PIN: u64 = 731_105_731_105;

/// Everything that was traced in this program.
#[derive(Clone, Default)]
struct Traced(Arc<Mutex<Vec<u8>>>);

impl io::Write for Traced {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn traced() -> Traced {
    static TRACED: OnceLock<Traced> = OnceLock::new();
    let begin = || {
        let traced = Traced::default();
        let writer = traced.clone();
        let subscriber =
            tracing_subscriber::fmt().with_max_level(tracing_subscriber::filter::LevelFilter::TRACE);
        subscriber.with_writer(move || writer.clone()).init();
        traced
    };
    TRACED.get_or_init(begin).clone()
}

fn has_canary(bytes: &[u8]) -> bool {
    let pin = PIN.to_string();
    [CANARY.as_bytes(), pin.as_bytes()]
        .iter()
        .any(|part| bytes.windows(part.len()).any(|bytes| bytes == *part))
}

/// The files below a folder that contain the canary, and the number of files searched.
fn files_with_canary(folder: &Path) -> (Vec<String>, usize) {
    let (mut found, mut seen) = (Vec::new(), 0);
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            seen += 1;
            if has_canary(&fs::read(&path).unwrap()) {
                found.push(path.display().to_string());
            }
        }
    }
    (found, seen)
}

/// Every answer that has to do with a run, by its address.
async fn answers(server: &Server, run: &str) -> Vec<(String, String)> {
    let mut answers = Vec::new();
    let process = format!("/{ROUTE}/show_progress");
    let parts = ["", "/events", "/log", "/result"].map(|part| format!("{run}{part}"));
    for address in ["/".to_owned(), "/runs".into(), process].into_iter().chain(parts) {
        for accept in ["text/html", "application/json", "text/event-stream"] {
            let response = server.get(&address).header("accept", accept).send().await.unwrap();
            answers.push((format!("{address} as {accept}"), response.text().await.unwrap()));
        }
    }
    answers
}

fn as_json() -> Value {
    json!({
        "password": format!("{CANARY}-password"), "pin": PIN, "codes": [CANARY, format!("{CANARY}-2")],
        "login": { "user": "ada", "token": CANARY }
    })
}

#[tokio::test]
async fn secret_reaches_only_the_body() {
    let traced = traced();
    let server = Server::start().await;
    let (password, second, pin) = (format!("{CANARY}-password"), format!("{CANARY}-2"), PIN.to_string());
    let pairs = [
        ("password", password.as_str()),
        ("pin", &pin),
        ("codes", ""),
        ("codes", CANARY),
        ("codes", &second),
        ("login.user", "ada"),
        ("login.token", CANARY),
    ];
    let multipart = pairs.iter().fold(Multipart::new(), |form, (name, value)| form.text(name, value));
    let mut runs = vec![
        started(server.form(ROUTE, &pairs)).await,
        started(server.multipart(ROUTE, multipart)).await,
        started(server.json(ROUTE, &as_json())).await,
    ];
    let typed = SignsInInput {
        password: Secret::new(password.clone()),
        pin: Some(Secret::new(PIN)),
        codes: vec![Secret::new(CANARY.into()), Secret::new(second.clone())],
        login: Some(Login { user: "ada".into(), token: Secret::new(CANARY.into()) }),
        count: 5,
        wait: 0,
    };
    let typed = SignsIn::start(&server.processes, typed).await.unwrap();
    runs.push(json!(typed.run().await.unwrap()));
    let watched = server.json(ROUTE, &as_json()).header("accept", "text/event-stream").send().await.unwrap();
    assert!(!has_canary(watched.text().await.unwrap().as_bytes()));
    let mut seen = 0;
    for run in &runs {
        assert!(!has_canary(run.to_string().as_bytes()), "{run}");
        let run = format!("/runs/{}", run["id"].as_str().unwrap());
        let ended = server.ended(&run).await;
        let lengths = [CANARY.len() + 9, 12, CANARY.len(), CANARY.len() + 2, CANARY.len()];
        assert_eq!(ended["result"], json!(lengths), "{ended}");
        assert_eq!(ended["input"]["login"], json!({ "user": "ada", "token": "••••••" }));
        for (address, text) in answers(&server, &run).await {
            assert!(!has_canary(text.as_bytes()), "{address}: {text}");
            seen += 1;
        }
    }
    assert_eq!(seen, 4 * 21);
    let (found, files) = files_with_canary(server.folder.path());
    assert_eq!(found, Vec::<String>::new());
    assert!(files >= 2, "the store and its log");
    assert!(!has_canary(format!("{:?}", server.processes).as_bytes()));
    assert!(!has_canary(&traced.0.lock().unwrap()));
    // The search finds a canary that is there.
    fs::write(server.folder.path().join("found"), format!("x{CANARY}x")).unwrap();
    assert_eq!(files_with_canary(server.folder.path()).0.len(), 1);
    let panicked = server.run("panics", json!({})).await;
    server.ended(&panicked).await;
    let log = String::from_utf8_lossy(&traced.0.lock().unwrap()).into_owned();
    assert!(log.contains("the process panicked"), "{log}");
}

#[tokio::test]
async fn refused_secret_is_never_echoed() {
    let traced = traced();
    let server = Server::start().await;
    let short = &CANARY[..7];
    let wrong = json!({
        "password": short, "pin": CANARY, "codes": [CANARY, { "code": CANARY }, [CANARY]],
        "login": { "user": "ada", "token": [CANARY] }, "count": 999
    });
    let found = errors(server.json(ROUTE, &wrong)).await;
    assert_eq!(places(&found), ["password", "pin", "codes.1", "codes.2", "login.token", "count"]);
    assert!(!found.iter().any(|(_, message)| message.contains(short)), "{found:?}");
    let long = CANARY.repeat(20);
    let pairs = [("password", long.as_str()), ("pin", CANARY), ("codes", CANARY), ("login.token", CANARY)];
    let (status, html) = page(server.form(ROUTE, &pairs)).await;
    assert_eq!(status, 422);
    assert!(!has_canary(html.as_bytes()), "{html}");
    assert!(html.contains("id=\"field-password-error\"") && html.contains("id=\"field-pin-error\""));
    for input in html.split("<input").filter(|input| input.contains("type=\"password\"")) {
        assert!(input.contains(" value=\"\"") && input.contains(" autocomplete=\"off\""), "{input}");
    }
    assert!(html.matches("type=\"password\"").count() >= 4);
    // Something else is wrong, the secrets are not.
    let mut input = as_json();
    input["count"] = json!(999);
    let (status, html) = page(server.json(ROUTE, &input)).await;
    assert_eq!((status, has_canary(html.as_bytes())), (422, false), "{html}");
    let (_, problem) = answer(server.json(ROUTE, &input)).await;
    assert!(!has_canary(problem.to_string().as_bytes()), "{problem}");
    // A file instead of a secret.
    let form = Multipart::new().file("password", &format!("{CANARY}-password"), CANARY.as_bytes());
    let (status, html) = page(server.multipart(ROUTE, form)).await;
    assert_eq!((status, has_canary(html.as_bytes())), (422, false), "{html}");
    // In a link.
    let link =
        format!("/{ROUTE}/show_progress?password={CANARY}&codes={CANARY}&login.token={CANARY}&count=7");
    let html = page(server.get(&link)).await.1;
    assert!(html.contains("value=\"7\"") && !has_canary(html.as_bytes()), "{html}");
    // From Rust.
    let input = SignsInInput {
        password: Secret::new(long),
        pin: None,
        codes: Vec::new(),
        login: None,
        count: 5,
        wait: 0,
    };
    let error = SignsIn::start(&server.processes, input).await.unwrap_err();
    assert!(matches!(error, StartError::Input(_)));
    assert!(!has_canary(format!("{error} {error:?}").as_bytes()), "{error:?}");
    assert_eq!(files_with_canary(server.folder.path()).0, Vec::<String>::new());
    assert!(!has_canary(&traced.0.lock().unwrap()));
}

#[tokio::test]
async fn cancelled_run_erases_queued_secrets() {
    let server = Server::start().await;
    let mut first = as_json();
    first["wait"] = json!(60_000);
    let first = server.run(ROUTE, first).await;
    let second = server.run(ROUTE, as_json()).await;
    for run in [&second, &first] {
        server.post(&format!("{run}/cancel")).send().await.unwrap();
    }
    for run in [&second, &first] {
        assert_eq!(server.ended(run).await["status"], "cancelled");
    }
    assert_eq!(files_with_canary(server.folder.path()).0, Vec::<String>::new());
}
