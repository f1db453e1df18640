//! No request head causes a server error or an unbounded response, and valid values are read correctly.

use axum::body::Body;
use axum::http::{HeaderValue, Request};
use process_tests::raw::Raw;
use process_tests::strange::{Part, ask};
use proptest::prelude::*;
use serde_json::Value;

use super::{cases, given};

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..200)
}

/// Tokens that occur in headers or queries, combined at random.
fn words(known: &'static [&'static str]) -> impl Strategy<Value = String> {
    let word = prop_oneof![
        4 => prop::sample::select(known).prop_map(str::to_owned),
        1 => given::names(),
        1 => "[ -~]{0,6}",
        1 => any::<u64>().prop_map(|number| number.to_string()),
    ];
    prop::collection::vec(word, 0..12).prop_map(|words| words.concat())
}

fn get(raw: &Raw, path: &str, headers: &[(&'static str, &str)]) -> process_tests::raw::Answer {
    let mut request = Request::get(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    raw.ask(request.body(Body::empty()).unwrap())
}

#[test]
fn random_head_bytes_never_cause_500() {
    let raw = Raw::new();
    proptest!(cases(700), |(data in bytes())| {
        for part in [Part::Path, Part::Query, Part::Headers, Part::Position, Part::Host, Part::Key] {
            ask(&raw, part, &data);
        }
    });
}

#[test]
fn random_path_cannot_escape_its_mount() {
    const KNOWN: &[&str] = &[
        "/",
        "..",
        "%2e%2e",
        "%2F",
        "%00",
        "%0d%0a",
        "runs/",
        "assets/",
        "files/",
        "start",
        "show_progress",
        "count",
        "%ff",
        "%",
        "//",
        "\\",
        "events",
        "log",
        "openapi.json",
        "metrics",
        "healthz",
        "erase",
        "🦀",
    ];
    let raw = Raw::new();
    proptest!(cases(3_000), |(path in words(KNOWN), how: u8)| {
        let data = [&[how][..], path.as_bytes()].concat();
        if let Some(answer) = ask(&raw, Part::Path, &data) {
            prop_assert!([200, 204, 303, 400, 404, 405, 503].contains(&answer.status), "{path}: {answer:?}");
        }
    });
}

#[test]
fn random_query_never_causes_500() {
    const KNOWN: &[&str] = &[
        "=",
        "&",
        "%",
        "+",
        "run=",
        "bar=",
        "last=",
        "{id}",
        "q=",
        "level=",
        "warn",
        "after=",
        "before=",
        "status=",
        "failed",
        ",",
        "from=",
        "until=",
        "2026-11-21",
        "T00:00:00Z",
        "-",
        "9999-12-31",
        "lang=",
        "de",
        "ar",
        "format=",
        "message",
        "process=",
        "count",
        "actor=",
        "download",
        "confirmed=yes",
        "number=",
        "lines.0.article=",
        "%ff",
        "%00",
        "%f0%9f",
        "18446744073709551616",
    ];
    let raw = Raw::new();
    proptest!(cases(3_000), |(query in words(KNOWN), how: u8)| {
        let data = [&[how][..], query.as_bytes()].concat();
        if let Some(answer) = ask(&raw, Part::Query, &data) {
            prop_assert!([200, 204, 400, 404].contains(&answer.status), "{query}: {answer:?}");
        }
    });
}

#[test]
fn random_header_never_causes_500() {
    const KNOWN: &[&str] = &[
        "\n",
        "\n\0",
        "\n\x01",
        "\n\x02",
        "\n\x03",
        "text/html",
        "*/*",
        ";q=",
        "0.5",
        "1e999",
        "nan",
        "-1",
        ",",
        "de",
        "-AT",
        "zh-Hant",
        "process-lang=",
        "ar",
        ";",
        "=",
        "\"",
        "gzip",
        "W/",
        "CLOSE",
        "for=",
        "host=",
        "127.0.0.1",
        "application/json",
        "text/event-stream",
        "*",
        "i-klingon",
        "x-",
        "\t",
    ];
    let raw = Raw::new();
    proptest!(cases(3_000), |(lines in words(KNOWN), how: u8)| {
        let data = [&[how][..], lines.as_bytes()].concat();
        if let Some(answer) = ask(&raw, Part::Headers, &data) {
            prop_assert!([200, 204, 304, 400, 403, 404, 421].contains(&answer.status), "{lines}: {answer:?}");
        }
    });
}

/// The numbers of the lines in a stream's snapshot, and the text of the stream.
fn lines_after(raw: &Raw, last: &str) -> (u16, Vec<u64>, String) {
    let answer = get(raw, &format!("{}/events", raw.ended()), &[("last-event-id", last)]);
    let data = answer.text.lines().find_map(|line| line.strip_prefix("data: "));
    let snapshot: Value = data.map_or(Value::Null, |data| serde_json::from_str(data).unwrap());
    let lines = snapshot["log"]["lines"].as_array().into_iter().flatten();
    (answer.status, lines.map(|line| line["seq"].as_u64().unwrap()).collect(), answer.text)
}

#[test]
fn event_id_resumes_or_is_ignored() {
    let raw = Raw::new();
    let (status, all, text) = lines_after(&raw, "");
    assert_eq!((status, &all[..]), (200, &(1..=30).collect::<Vec<_>>()[..]));
    let id = text.lines().find_map(|line| line.strip_prefix("id: ")).unwrap().to_owned();
    let (front, _) = id.rsplit_once('-').unwrap();
    let front = front.to_owned();
    proptest!(cases(1_500), |(seq in 0_u64..40, forged in "[0-9a-f-]{0,70}|[ -~]{0,80}", how in 0..4)| {
        // A valid id continues at its position, and never returns more than everything.
        let (status, lines, _) = lines_after(&raw, &format!("{front}-{seq}"));
        prop_assert_eq!(status, 200);
        let missed: Vec<u64> = if seq <= 30 { (seq + 1..=30).collect() } else { all.clone() };
        prop_assert_eq!(lines, missed);
        // An invalid or altered id is ignored.
        let forged = match how {
            0 => format!("{front}-0{seq}"),
            1 => format!("+{front}-{seq}"),
            2 => format!("{}-{seq}", front.to_uppercase() + "x"),
            _ => forged,
        };
        if !forged.starts_with(&front) || how == 0 {
            let (status, lines, _) = lines_after(&raw, &forged);
            prop_assert_eq!((status, &lines), (200, &all), "{}", forged);
        }
    });
    assert_eq!(lines_after(&raw, &format!("{front}-30-end")).0, 204);
}

/// A listed host, with or without a prefix or suffix.
fn hosts() -> impl Strategy<Value = String> {
    const KNOWN: &[&str] =
        &["localhost", "127.0.0.1", "[::1]", ":", "80", ".", "evil.example", "@", "LOCALHOST", "/", " "];
    let more = [
        "",
        ":80",
        ":",
        ".",
        ".evil.example",
        ":80@evil.example",
        "@evil",
        ":8o",
        "x",
        ":80:80",
        "-",
        "/",
        "%2e",
    ];
    let listed = prop::sample::select(&["localhost", "127.0.0.1", "[::1]", "LocalHost"][..]);
    let nearly = (prop::sample::select(more.to_vec()), listed, prop::sample::select(more.to_vec()));
    prop_oneof![
        words(KNOWN),
        nearly.clone().prop_map(|(_, listed, behind)| format!("{listed}{behind}")),
        nearly.prop_map(|(front, listed, behind)| format!("{front}{listed}{behind}")),
    ]
}

/// Whether a host is this machine, implemented independently of the server.
fn is_this_machine(host: &str) -> bool {
    let host = host.to_lowercase();
    let name = match host.rsplit_once(':') {
        Some((name, port))
            if port.chars().all(|c| c.is_ascii_digit()) && (name.ends_with(']') || !name.contains(':')) =>
        {
            name.to_owned()
        }
        _ => host,
    };
    ["localhost", "127.0.0.1", "[::1]"].contains(&name.as_str())
}

#[test]
fn unlisted_host_or_origin_is_refused() {
    let raw = Raw::new();
    let schemes = prop::sample::select(&["http://", "https://", "", "null", "ftp://"][..]);
    let origin = (schemes, any::<bool>(), hosts());
    proptest!(cases(4_000), |(host in hosts(), origin in prop::option::of(origin))| {
        let origin = origin.map(|(scheme, own, other)| format!("{scheme}{}", if own { &host } else { &other }));
        let (Ok(_), true) = (HeaderValue::from_str(&host), host.is_ascii()) else { return Ok(()) };
        let written = format!("\x01{host}{}", origin.as_ref().map(|one| format!("\n{one}")).unwrap_or_default());
        let Some(answer) = ask(&raw, Part::Host, written.as_bytes()) else { return Ok(()) };
        if is_this_machine(&host) {
            let origin = origin.filter(|one| HeaderValue::from_str(one).is_ok()).map(|one| one.to_lowercase());
            let own = ["http://", "https://"].map(|scheme| format!("{scheme}{host}").to_lowercase());
            let expected: &[u16] = match &origin {
                None => &[428],
                Some(origin) if own.contains(origin) => &[428],
                // No browser has sent it.
                Some(origin) if origin.starts_with("ftp://") => &[403, 428],
                Some(_) => &[403],
            };
            prop_assert!(expected.contains(&answer.status), "{:?} at {}: {}", origin, host, answer.status);
        } else {
            prop_assert_eq!(answer.status, 421, "{}", host);
        }
    });
}

#[test]
fn idempotency_key_is_validated() {
    let raw = Raw::new();
    let keys = prop_oneof![bytes(), "[ -~]{190,210}".prop_map(String::into_bytes)];
    proptest!(cases(1_500), |(key in keys)| {
        let Ok(value) = HeaderValue::from_bytes(&key) else { return Ok(()) };
        let readable = value.to_str().is_ok_and(|key| (1..=200).contains(&key.len()) && !key.contains('\t'));
        let answer = ask(&raw, Part::Key, &[&[0][..], &key].concat()).unwrap();
        // The process requires confirmation: a valid key gets a 428, and nothing is started.
        prop_assert_eq!(answer.status, if readable { 428 } else { 400 }, "{:?}", value);
    });
}

#[test]
fn unknown_share_token_shows_nothing() {
    let raw = Raw::closed();
    // The whole token, and truncated ones, in the URL and in a cookie.
    let statuses = [[0, 0], [4, 0], [6, 0]].map(|how| ask(&raw, Part::Share, &how).unwrap().status);
    assert_eq!(statuses, [404, 200, 200]);
    let nearly = prop_oneof![bytes(), "[A-Za-z0-9_.=; -]{0,80}".prop_map(String::into_bytes)];
    proptest!(cases(2_000), |(how: u8, place: u8, data in nearly)| {
        // The helper checks the responses.
        ask(&raw, Part::Share, &[&[how, place], &data[..]].concat());
    });
}

#[test]
fn page_language_always_exists() {
    const KNOWN: &[&str] = &[
        "de", "en", "ar", "zh", "fr", "es", "-", "AT", ",", ";q=", "0", "1", ".5", "*", "xx", " ", "Hant",
        "und",
    ];
    let raw = Raw::new();
    proptest!(cases(1_000), |(accepted in words(KNOWN), cookie in words(KNOWN))| {
        let cookie = format!("process-lang={cookie}");
        let sendable = [&accepted, &cookie].iter().all(|value| HeaderValue::from_str(value).is_ok());
        prop_assume!(sendable);
        let answer =
            get(&raw, "/runs", &[("accept", "text/html"), ("accept-language", &accepted), ("cookie", &cookie)]);
        let language = answer.language.unwrap();
        prop_assert!(["en", "es", "de", "fr", "zh", "ar"].contains(&language.as_str()), "{}", language);
        let said = format!("lang=\"{language}\"");
        prop_assert!(answer.text.contains(&said));
    });
}
