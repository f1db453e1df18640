//! Starts: right ones and wrong ones, pressed twice, with files, and cut in the middle.

use std::time::Duration;

use process_tests::payloads::payloads;
use process_tests::{Chance, Multipart};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use super::Visitor;
use super::client::{Answer, Ask, Client, Step, wrong};
use super::page::Page;

/// A process with a valid input.
fn good(chance: &mut Chance) -> (&'static str, Value) {
    match chance.of(0, 19) {
        0..=2 => ("works", json!({ "milliseconds": chance.of(0, 2_000), "every": chance.of(20, 500) })),
        3..=4 => ("sort", json!({ "items": chance.of(1, 12), "pause": chance.of(0, 20) })),
        5..=6 => {
            ("tells", json!({ "items": chance.of(1, 30), "hold": if chance.one_in(4) { 1 } else { 0 } }))
        }
        7 => ("count", json!({ "total": chance.of(1, 5), "pause": chance.of(0, 20) })),
        8..=9 => {
            let text = chance.choose(&payloads()).cloned().unwrap_or_default();
            ("repeats", json!({ "text": text, "fails": chance.one_in(3) }))
        }
        10 => ("chat", json!({ "lines": chance.of(1, 3_000), "pause": chance.of(0, 10) })),
        11 => ("fills", json!({ "lines": chance.of(1, 2_000), "bytes": chance.of(10, 300) })),
        12 => ("talks", json!({ "bytes": chance.of(20, 1_500), "seconds": 0.02 })),
        13 => ("writes-a-file", json!({ "name": "a report.txt" })),
        14 => (if chance.one_in(2) { "fails" } else { "panics" }, json!({})),
        15 => (if chance.one_in(2) { "ends-early" } else { "tells-much" }, json!({})),
        16 => ("wait", json!({})),
        17 => (if chance.one_in(2) { "takes-too-long" } else { "says-nothing" }, json!({})),
        18 => ("deaf", json!({ "milliseconds": chance.of(0, 800) })),
        _ => ("empty", json!({})),
    }
}

/// What must be refused: where it is sent, as what, the body, and the statuses that refuse it.
const BAD: [(&str, &str, &str, &[u16]); 16] = [
    ("works", JSON, r#"{ "milliseconds": -1 }"#, &[422]),
    ("works", JSON, r#"{ "milliseconds": "soon" }"#, &[422]),
    ("works", JSON, r#"{ "milliseconds": 5, "every": 0 }"#, &[422]),
    ("works", JSON, r#"{ "milliseconds": 5, "never": 1 }"#, &[422]),
    ("works", JSON, "{}", &[422]),
    ("works", JSON, r#"{ "milliseconds": 5"#, &[400, 422]),
    ("works", JSON, "[1, 2, 3]", &[400, 422]),
    ("works", "text/xml", "<milliseconds>5</milliseconds>", &[415]),
    ("works", "application/x-www-form-urlencoded", "milliseconds=&every=5", &[422]),
    ("choose", JSON, r#"{ "percent": 101 }"#, &[422]),
    ("choose", "application/x-www-form-urlencoded", "percent=%FF%00", &[400, 422]),
    ("repeats", JSON, r#"{ "text": 5 }"#, &[422]),
    ("erase", JSON, "{}", &[428]),
    ("gather", "multipart/form-data; boundary=b", "--b\r\n\r\n--b--\r\n", &[400, 422]),
    ("nothing-of-this-name", JSON, "{}", &[404]),
    ("fields/signs-in", JSON, r#"{ "password": "short" }"#, &[422]),
];
const JSON: &str = "application/json";

/// The id of the run that a browser or a program is led to.
fn led_to(answer: &Answer) -> Step<String> {
    match answer.header("location").and_then(|location| location.rsplit('/').next()) {
        Some(id) => Ok(id.to_owned()),
        None => wrong("it leads nowhere", &[answer]),
    }
}

/// Pairs of a form for an input without groups.
fn pairs(input: &Value) -> Vec<(&str, String)> {
    let fields = input.as_object().into_iter().flatten();
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    fields.map(|(name, value)| (name.as_str(), text(value))).collect()
}

impl Visitor<'_> {
    /// Starts a run, as a program or with a form.
    pub(super) async fn start(&mut self) -> Step {
        let (route, input) = good(&mut self.chance);
        let client = self.client().await;
        let start = Ask::post(format!("/{route}/start"));
        if self.chance.one_in(3) {
            let pairs = pairs(&input);
            let pairs: Vec<_> = pairs.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let answer = client.ask(start.page().form(&pairs)).await?.is(&[303])?;
            self.book.see(&client, &led_to(&answer)?).await?;
            return Ok(());
        }
        let answer = client.ask(start.json(&input)).await?.is(&[201])?;
        let run = answer.json()?;
        if run["process"] != route || run["id"].as_str() != Some(&led_to(&answer)?) {
            return wrong("this is the start of another run", &[&answer]);
        }
        self.book.look(&run, &answer)
    }

    /// Sends starts that must be refused with an explanation, without a run.
    pub(super) async fn start_wrongly(&mut self) -> Step {
        let Some((route, kind, body, statuses)) = self.chance.choose(&BAD) else { return Ok(()) };
        let client = self.client().await;
        let ask = Ask::post(format!("/{route}/start")).body(kind, *body);
        let ask = if self.chance.one_in(2) { ask.page() } else { ask };
        let answer = client.ask(ask).await?.is(statuses)?;
        let speaks = answer.body.len() > 20;
        if speaks { Ok(()) } else { wrong("it does not say what is wrong", &[&answer]) }
    }

    /// Starts with a question that has to be answered first.
    pub(super) async fn confirm(&mut self) -> Step {
        let client = self.client().await;
        let asked = client.ask(Ask::post("/erase/start").json(&json!({}))).await?.is(&[428])?;
        if asked.json()?["question"].as_str().is_none() {
            return wrong("there is no question", &[&asked]);
        }
        let answer =
            client.ask(Ask::post("/erase/start?confirmed=yes").json(&json!({}))).await?.is(&[201])?;
        self.book.look(&answer.json()?, &answer)
    }

    /// Presses the button of one form twice: that is one run.
    pub(super) async fn double_click(&mut self) -> Step {
        let client = self.client().await;
        let form = client.ask(Ask::get("/count/show_progress").page()).await?.is(&[200])?;
        let Some(key) = Page::read(&form.text()).field("idempotency-key").map(str::to_owned) else {
            return wrong("the form has no key", &[&form]);
        };
        let click = || {
            Ask::post("/count/start").page().form(&[
                ("idempotency-key", &key),
                ("total", "2"),
                ("pause", "1"),
            ])
        };
        let (one, other) = tokio::join!(client.ask(click()), client.ask(click()));
        let (one, other) = (one?.is(&[303])?, other?.is(&[303])?);
        let (first, second) = (led_to(&one)?, led_to(&other)?);
        if first != second {
            return wrong("a double click has made two runs", &[&one, &other]);
        }
        self.book.see(&client, &first).await?;
        Ok(())
    }

    /// Starts with a file, which the run must receive completely.
    pub(super) async fn upload(&mut self) -> Step {
        let client = self.client().await;
        let content = "0123456789".repeat(self.chance.of(1, 20_000) as usize);
        let body = Multipart::new().file("file", "a file.txt", content.as_bytes()).text("name", "sent");
        let start = Ask::post("/fields/takes-files/start").body(&Multipart::content_type(), body.finished());
        let answer = client.ask(start).await?.is(&[201])?;
        let run = answer.json()?;
        self.book.look(&run, &answer)?;
        let (ended, by) = self.until_ended(&client, run["id"].as_str().unwrap_or_default()).await?;
        let holds = ended["status"] != "succeeded" || ended["result"]["bytes"] == content.len();
        if holds { Ok(()) } else { wrong(format!("{} bytes were sent", content.len()), &[&answer, &by]) }
    }

    /// Sends a part of a file, and goes.
    pub(super) async fn cut_upload(&mut self) -> Step {
        let client = self.client().await;
        let Ok(mut socket) = TcpStream::connect(client.addr()).await else { return Ok(()) };
        let begun =
            Multipart::new().file("file", "cut.txt", &vec![b'x'; self.chance.of(0, 200_000) as usize]);
        let begun = begun.unfinished();
        let head = format!(
            "POST /fields/takes-files/start HTTP/1.1\r\nhost: {}\r\ncookie: {}\r\ncontent-type: {}\r\n\
             content-length: {}\r\n\r\n",
            client.addr(),
            client.cookie(),
            Multipart::content_type(),
            begun.len() + 1_000,
        );
        let _ = socket.write_all(head.as_bytes()).await;
        let _ = socket.write_all(&begun).await;
        tokio::time::sleep(Duration::from_millis(self.chance.of(0, 50))).await;
        Ok(())
    }

    /// The run as soon as it has ended.
    async fn until_ended(&self, client: &Client, id: &str) -> Step<(Value, Answer)> {
        let began = std::time::Instant::now();
        loop {
            let (run, by) = self.book.see(client, id).await?;
            if super::book::has_ended(&run) {
                return Ok((run, by));
            }
            if began.elapsed() > Duration::from_secs(120) {
                return wrong("it does not end", &[&by]);
            }
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }
}
