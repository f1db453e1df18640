//! Splitting text into records: their lines, their ends, and the effect of errors.

use super::*;

/// Each record as `line: field|field`, or as `line! reason`.
fn read(text: &[u8]) -> Vec<String> {
    read_from(text, b',')
}

fn read_from(source: impl Read, delimiter: u8) -> Vec<String> {
    let show = |record: io::Result<Record>| {
        let Record { line, fields } = record.unwrap();
        match fields {
            Ok(fields) => {
                let fields: Vec<_> = fields.iter().map(String::from_utf8_lossy).collect();
                format!("{line}: {}", fields.join("|"))
            }
            Err(reason) => format!("{line}! {reason}"),
        }
    };
    Records::new(source, delimiter).map(show).collect()
}

#[test]
fn line_numbers_match_an_editor() {
    assert_eq!(read(b"a,b\n1,2\n"), ["1: a|b", "2: 1|2"]);
    assert_eq!(read(b"a\r\n\r\n\"b\"\r\nc"), ["1: a", "3: b", "4: c"]);
    assert_eq!(read(b"a\r\r\"b\r\nc\"\rd"), ["1: a", "3: b\r\nc", "5: d"]);
    assert_eq!(read(b"\"one\ntwo\",x\ny\n"), ["1: one\ntwo|x", "3: y"]);
    assert_eq!(read(b"\n\n\na"), ["4: a"]);
    assert_eq!(read(b"a,\n"), ["1: a|"]);
    assert!(read(b"").is_empty() && read(b"\r\n").is_empty());
}

#[test]
fn quotes_follow_the_rules() {
    assert_eq!(read(b"\"a, \"\"b\"\"\",\"\"\n"), ["1: a, \"b\"|"]);
    assert_eq!(read(b"5\" pipe,x\n"), ["1: 5\" pipe|x"]);
    assert_eq!(read(b"\"a\"b,c\nd\n"), ["1! there is text after a closing quote", "2: d"]);
    assert_eq!(read_from(&b"\"a;b\";c,d\n"[..], b';'), ["1: a;b|c,d"]);
    assert_eq!(read_from(&b"\"a\"\t\"b\tc\"\n"[..], b'\t'), ["1: a|b\tc"]);
}

#[test]
fn unclosed_quote_costs_one_line() {
    let unclosed = "a quote is opened but not closed";
    assert_eq!(read(b"\"a,b\nc,d\n\"e\",f\n"), [&format!("1! {unclosed}"), "2: c|d", "3: e|f"]);
    assert_eq!(read(b"a\n\"b"), ["1: a", &format!("2! {unclosed}")]);
    assert_eq!(read(b"\"a\r\n\r"), [format!("1! {unclosed}")]);
    let long = format!("\"a{}", "\nb".repeat(100));
    assert_eq!(read(long.as_bytes()).len(), 101);
}

#[test]
fn invalid_utf8_field_is_kept() {
    assert_eq!(read(b"Mu\xf1oz,1\n"), ["1: Mu\u{fffd}oz|1"]);
}

/// Returns one byte at a time, so that every position is the end of a read once.
struct Trickle<'a>(&'a [u8]);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(1);
        self.0.read(&mut buffer[..length])
    }
}

#[test]
fn records_ignore_read_boundaries() {
    // The line breaks move over the border between two chunks, and so does the broken quote.
    for before in CHUNK as usize - 12..=CHUNK as usize {
        let filler = "x".repeat(before);
        let text = format!("{filler}\r\n\"a\r\nb\"\r\n\"c\r\nd\r\n\"e\",f\r\n");
        let unclosed = "4! a quote is opened but not closed";
        let expected = [&format!("1: {filler}"), "2: a\r\nb", unclosed, "5: d", "6: e|f"];
        assert_eq!(read(text.as_bytes()), expected, "{before}");
        assert_eq!(Records::new(text.as_bytes(), b',').count_left().unwrap(), expected.len());
    }
    assert_eq!(read_from(Trickle(b"a\r\n\"b\r\",c\r\n"), b','), ["1: a", "2: b\r|c"]);
}

#[test]
fn endless_line_is_not_buffered() {
    let endless = io::repeat(b'x').take(20 << 20).chain(&b"\na,b\n"[..]);
    let mut records = Records::new(endless, b',');
    let broken = records.next().unwrap().unwrap();
    assert_eq!(broken.line, 1);
    assert!(broken.fields.unwrap_err().contains("longer than 1 MiB, in column 1,"));
    assert!(records.ahead.capacity() < 4 << 20, "{}", records.ahead.capacity());
    assert_eq!(records.next().unwrap().unwrap().line, 2);
    assert!(records.next().is_none());
}

#[test]
fn too_many_columns_cost_one_line() {
    let columns = io::repeat(b',').take(10_000_000);
    let quoted = io::Cursor::new(b"\"a,b\",c,").chain(io::repeat(b'x').take(2 << 20));
    let text = (&b"a\n"[..]).chain(columns).chain(&b"\n"[..]).chain(quoted).chain(&b"\nlast"[..]);
    let mut records = Records::new(text, b',');
    let mut reasons = Vec::new();
    for record in records.by_ref() {
        let Record { line, fields } = record.unwrap();
        reasons.push((line, fields.err()));
    }
    let broken = |column| {
        Some(format!("it is longer than 1 MiB, in column {column}, so a line break seems to be missing"))
    };
    let column =
        reasons[1].1.as_ref().unwrap().split(' ').nth(8).unwrap().trim_end_matches(',').parse::<usize>();
    assert!((1 << 20..2 << 20).contains(&column.unwrap()), "{reasons:?}");
    assert_eq!(
        (reasons[0].clone(), reasons[2].clone(), reasons[3].clone()),
        ((1, None), (3, broken(3)), (4, None))
    );
    assert!(records.ahead.capacity() < 4 << 20, "{}", records.ahead.capacity());
}

#[test]
fn read_error_is_not_the_end() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    let mut records = Records::new(b"a\n".chain(Broken), b',');
    assert!(records.next().unwrap().is_err());
    assert!(Records::new(Broken, b',').count_left().is_err());
}
