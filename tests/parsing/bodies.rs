//! No body of a start causes a server error.

use process_tests::raw::{FORM, JSON, MULTIPART, Raw, fuzz};
use proptest::prelude::*;

use super::{cases, given};

fn accepts() -> impl Strategy<Value = &'static str> {
    prop_oneof![Just("application/json"), Just("text/html"), Just("*/*")]
}

/// `lines.0.article`, and names that are nearly like it.
fn paths() -> impl Strategy<Value = String> {
    prop::collection::vec(given::names(), 1..4).prop_map(|parts| parts.join("."))
}

fn cut(body: &[u8], size: usize) -> Vec<Vec<u8>> {
    body.chunks(size.max(1)).map(<[u8]>::to_vec).collect()
}

/// A change to bytes that were right.
#[derive(Debug, Clone)]
enum Change {
    Set(prop::sample::Index, u8),
    Remove(prop::sample::Index, usize),
    Repeat(prop::sample::Index, usize),
    Insert(prop::sample::Index, Vec<u8>),
    Cut(prop::sample::Index),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let at = any::<prop::sample::Index>;
    let known = ["\r\n", "\r\n\r\n", "\r\n--b", "\r\n--b--", "\"", ";", "--b\r\n", "filename=\"x\"", "\0"];
    let change = prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (at(), 1_usize..20).prop_map(|(at, length)| Change::Remove(at, length)),
        (at(), 1_usize..60).prop_map(|(at, length)| Change::Repeat(at, length)),
        (at(), prop::sample::select(known.to_vec()))
            .prop_map(|(at, text)| Change::Insert(at, text.as_bytes().to_vec())),
        at().prop_map(Change::Cut),
    ];
    prop::collection::vec(change, 0..4)
}

fn changed(mut body: Vec<u8>, changes: Vec<Change>) -> Vec<u8> {
    for change in changes {
        let length = body.len();
        if length == 0 {
            break;
        }
        match change {
            Change::Set(at, byte) => body[at.index(length)] = byte,
            Change::Remove(at, some) => {
                let at = at.index(length);
                body.drain(at..(at + some).min(length));
            }
            Change::Repeat(at, some) => {
                let at = at.index(length);
                let part = body[at..(at + some).min(length)].to_vec();
                body.splice(at..at, part);
            }
            Change::Insert(at, bytes) => {
                let at = at.index(length);
                body.splice(at..at, bytes);
            }
            Change::Cut(at) => body.truncate(at.index(length)),
        }
    }
    body
}

fn multiparts() -> impl Strategy<Value = Vec<u8>> {
    let file = prop::option::of(given::texts());
    let part = (paths(), file, prop::option::of(given::texts()), given::texts());
    prop::collection::vec(part, 0..6).prop_map(|parts| {
        let mut body = String::new();
        for (name, file, kind, content) in parts {
            body += &format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"");
            body += &file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
            body += &kind.map(|kind| format!("\r\nContent-Type: {kind}")).unwrap_or_default();
            body += &format!("\r\n\r\n{content}\r\n");
        }
        (body + "--b--\r\n").into_bytes()
    })
}

#[test]
fn random_bytes_never_cause_500() {
    let raw = Raw::new();
    let bytes = prop::collection::vec(any::<u8>(), 0..400);
    proptest!(cases(600), |(body in bytes, accept in accepts(), size in 1_usize..400)| {
        for content_type in [FORM, JSON, MULTIPART, "multipart/form-data", "text/plain", ""] {
            raw.send(content_type, accept, cut(&body, size));
        }
    });
    assert_eq!(raw.staged(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn random_form_never_causes_500() {
    let raw = Raw::new();
    let pairs = prop::collection::vec((paths(), given::texts()), 0..12);
    proptest!(cases(800), |(pairs in pairs, changes in changes(), accept in accepts())| {
        let mut url = url::Url::parse("http://x").unwrap();
        url.query_pairs_mut().extend_pairs(pairs);
        let body = changed(url.query().unwrap_or_default().into(), changes);
        raw.send(FORM, accept, vec![body]);
    });
}

#[test]
fn random_json_never_causes_500() {
    let raw = Raw::new();
    let entries = prop::collection::vec((given::names(), given::jsons()), 0..8);
    proptest!(cases(800), |(entries in entries, changes in changes(), accept in accepts())| {
        let value = serde_json::Value::Object(entries.into_iter().collect());
        raw.send(JSON, accept, vec![changed(value.to_string().into(), changes)]);
    });
    assert_eq!(raw.staged(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn random_multipart_never_causes_500() {
    let raw = Raw::new();
    proptest!(cases(1_200), |(body in multiparts(), changes in changes(), accept in accepts(), size in 1_usize..200)| {
        raw.send(MULTIPART, accept, cut(&changed(body, changes), size));
    });
    assert_eq!(raw.staged(), Vec::<std::path::PathBuf>::new());
}

#[test]
fn valid_multipart_parses_however_cut() {
    let raw = Raw::new();
    let body =
        b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nx\r\n--\r\n--b\r\n\
        Content-Disposition: form-data; name=\"documents.0.file\"; filename=\"a\"\r\n\r\n--b--\r\n--b--\r\n";
    for size in 1..=body.len() {
        let answer = raw.send(MULTIPART, "application/json", cut(body, size));
        assert_eq!(answer.status, 428, "in pieces of {size}: {}", answer.text);
    }
    assert_eq!(raw.staged(), Vec::<std::path::PathBuf>::new());
}

/// The same entry as that of the fuzzer.
#[test]
fn fuzzer_seeds_are_read() {
    let raw = Raw::new();
    for data in [b"".as_slice(), b"\0", b"\x01a=b", b"\xffnumber=5&lines.0.article=x"] {
        for content_type in [FORM, JSON, MULTIPART] {
            fuzz(&raw, content_type, data);
        }
    }
}
