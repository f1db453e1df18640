//! However a stream is cut, the same is counted.

use process_tests::load::{Name, Reader, Seen};
use process_tests::wire::chunk;

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
const STAMP: u64 = 1_763_749_716_123_456_789;

fn log(seq: u64) -> String {
    let stamp = STAMP + seq;
    format!(
        "event: log\ndata: {{\"seq\":{seq},\"at\":\"2025-11-21T18:28:36.123456789Z\",\
         \"level\":\"info\",\"text\":\"{stamp}.....\"}}\nid: 0123abcd-1-{seq}\n\n"
    )
}

/// A stream with every kind of event, and what must be seen of it.
fn stream() -> (String, Vec<Seen>) {
    let snapshot = format!(
        "retry: 2000\nevent: snapshot\ndata: {{\"percent\":null,\"current\":3,\"text\":\"{STAMP}\",\
         \"title\":\"\\\"text\\\":\\\"{STAMP}\",\"log\":{{\"lines\":[{{\"text\":\"1\"}},{{\"text\":\"{STAMP}\"}}]}}}}\nid: a\n\n"
    );
    let progress =
        "event: progress\ndata: {\"status\":\"running\",\"percent\":12.5,\"current\":5,\"total\":40}\n\n";
    let others = ": a comment\n\nevent: ping\ndata: {}\n\nevent: a-name-that-is-longer-than-any-of-ours\ndata: 1\n\n\
                  event: log\ndata: {\"text\":\"no time\"}\n\ndata\n\nevent: log\r\ndata:\r\n\r\n";
    let end = "event: end\ndata: {\"text\":\"1763749716123456789\",\"percent\":1}\n\n";
    let text = [&snapshot, &log(1), progress, &log(2), others, &log(3), end].concat();
    let seen = vec![
        Seen::Current(3.0),
        // A text of the run that looks like a time counts, too.
        Seen::OldLine(STAMP),
        Seen::OldLine(STAMP),
        Seen::Event(Name::Snapshot),
        Seen::Line(STAMP + 1),
        Seen::Event(Name::Log),
        Seen::Percent(12.5),
        Seen::Current(5.0),
        Seen::Event(Name::Progress),
        Seen::Line(STAMP + 2),
        Seen::Event(Name::Log),
        Seen::Event(Name::Ping),
        Seen::Event(Name::Other),
        Seen::Event(Name::Log),
        Seen::Event(Name::Log),
        Seen::Line(STAMP + 3),
        Seen::Event(Name::Log),
        Seen::Event(Name::End),
    ];
    (text, seen)
}

/// The stream as an answer, in chunks of this size.
fn answer(text: &str, chunk_size: usize) -> Vec<u8> {
    let mut answer = HEAD.as_bytes().to_vec();
    text.as_bytes().chunks(chunk_size).for_each(|part| answer.extend(chunk(part)));
    answer.extend(b"0\r\n\r\n");
    answer
}

fn read<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<Seen>, Reader) {
    let (mut reader, mut scratch, mut seen) = (Reader::default(), Vec::new(), Vec::new());
    for piece in pieces {
        reader.read(piece, &mut scratch, |one| seen.push(one));
    }
    (seen, reader)
}

#[test]
fn split_answer_is_read_whole() {
    let (text, expected) = stream();
    for chunk_size in [1, 7, 100, text.len()] {
        let answer = answer(&text, chunk_size);
        for cut in 0..=answer.len() {
            let (seen, reader) = read([&answer[..cut], &answer[cut..]].into_iter());
            assert_eq!(seen, expected, "chunks of {chunk_size}, cut at {cut}");
            assert!(reader.frames.is_over() && reader.frames.status() == 200);
        }
    }
}

#[test]
fn any_chunk_size_reads_alike() {
    let (text, expected) = stream();
    for chunk_size in (1..200).chain([1_000]) {
        let answer = answer(&text, chunk_size);
        for piece in (1..64).chain([100, 1_000]) {
            assert_eq!(read(answer.chunks(piece)).0, expected, "chunks of {chunk_size}, pieces of {piece}");
        }
    }
}

#[test]
fn body_without_chunks_ends_with_connection() {
    let (text, expected) = stream();
    let answer = format!("HTTP/1.1 200 OK\r\n\r\n{text}");
    for piece in 1..100 {
        let (seen, reader) = read(answer.as_bytes().chunks(piece));
        assert_eq!(seen, expected);
        assert!(!reader.frames.is_over() && !reader.frames.is_broken());
    }
}

#[test]
fn chunk_extensions_skipped_invalid_chunks_detected() {
    let text = log(1);
    let size = text.len();
    let (seen, _) = read([format!("{HEAD}{size:X};a=b\r\n{text}\r\n").as_bytes()].into_iter());
    assert_eq!(seen, [Seen::Line(STAMP + 1), Seen::Event(Name::Log)]);
    let broken = [
        format!("{HEAD}{text}"),
        format!("{HEAD}5\r\nabcdefg\r\n"),
        format!("{HEAD}{}\r\n", "f".repeat(40)),
        "SSH-2.0\r\n\r\n".into(),
        "a".repeat(100_000),
    ];
    for answer in broken {
        assert!(read([answer.as_bytes()].into_iter()).1.frames.is_broken(), "{answer:.100}");
    }
}

#[test]
fn large_snapshot_lines_are_counted() {
    let lines = format!("{{\"level\":\"info\",\"text\":\"{STAMP}\"}},").repeat(5_000);
    let text = format!("event: snapshot\ndata: {{\"lines\":[{lines}]}}\n\n");
    for piece in [61, 4_096, 65_536, 1 << 20] {
        let (seen, _) = read(answer(&text, 16_384).chunks(piece));
        assert_eq!(seen.iter().filter(|seen| **seen == Seen::OldLine(STAMP)).count(), 5_000);
        assert_eq!(seen.len(), 5_001);
    }
}
