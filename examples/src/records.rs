//! Owns cutting a CSV file into records, each with the number of the line it begins on.
//! Refuses to know what the fields mean.
//!
//! The csv crate splits a record into fields, but not a broken file into records: one quote that is
//! never closed would swallow the rest of the file as a single field. Here it costs one line.

use csv::{ByteRecord, ReaderBuilder};

/// A quoted field may hold line breaks, but a record over more lines than this is a forgotten quote.
const MOST_LINES: usize = 5;

/// One record of a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    /// The line it begins on, counted from 1 as editors do.
    pub(crate) line: usize,
    /// Its fields, or why it has none.
    pub(crate) fields: Result<ByteRecord, String>,
}

/// The records of a file, in order. Empty lines are counted but are no records.
#[derive(Debug, Clone)]
pub(crate) struct Records<'a> {
    rest: &'a [u8],
    line: usize,
}

impl<'a> Records<'a> {
    pub(crate) fn new(file: &'a [u8]) -> Self {
        // Spreadsheets like to begin with a byte order mark.
        Self { rest: file.strip_prefix(b"\xef\xbb\xbf").unwrap_or(file), line: 1 }
    }

    fn take(&mut self, span: Span) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at(span.bytes);
        self.rest = rest;
        self.line += span.lines;
        taken
    }
}

impl Iterator for Records<'_> {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        while !self.rest.is_empty() {
            let line = self.line;
            let fields = match measure(self.rest) {
                Ok(span) => parse(self.take(span)),
                Err(reason) => {
                    // Whatever comes after the broken line may be fine.
                    let bytes = self.rest.iter().position(|byte| *byte == b'\n');
                    self.take(Span { bytes: bytes.map_or(self.rest.len(), |at| at + 1), lines: 1 });
                    Err(reason)
                }
            };
            match fields {
                Ok(fields) if fields.is_empty() => {}
                fields => return Some(Record { line, fields }),
            }
        }
        None
    }
}

/// How much of the file a record takes, with the end of its last line.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Span {
    bytes: usize,
    lines: usize,
}

/// Where in a record a byte stands.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    FieldStart,
    Unquoted,
    Quoted,
    /// After a quote that ends the field, unless another one follows.
    QuoteSeen,
}

/// Finds the end of the first record of `text`: the first line break outside quotes (RFC 4180).
fn measure(text: &[u8]) -> Result<Span, String> {
    let unclosed = || Err("a quote is opened but not closed".to_owned());
    let mut place = Place::FieldStart;
    let mut lines = 1;
    for (index, byte) in text.iter().enumerate() {
        place = match (place, *byte) {
            (Place::Quoted, b'"') => Place::QuoteSeen,
            (Place::Quoted, b'\n') if lines == MOST_LINES => return unclosed(),
            (Place::Quoted, b'\n') => {
                lines += 1;
                Place::Quoted
            }
            (Place::Quoted, _) | (Place::QuoteSeen | Place::FieldStart, b'"') => Place::Quoted,
            (_, b'\n') => return Ok(Span { bytes: index + 1, lines }),
            (_, b',') => Place::FieldStart,
            (Place::QuoteSeen, b'\r') => Place::QuoteSeen,
            // The quote that seemed to close is the opening one of a later line.
            (Place::QuoteSeen, _) if lines > 1 => return unclosed(),
            (Place::QuoteSeen, _) => return Err("there is text after a closing quote".to_owned()),
            _ => Place::Unquoted,
        };
    }
    if place == Place::Quoted { unclosed() } else { Ok(Span { bytes: text.len(), lines }) }
}

fn parse(record: &[u8]) -> Result<ByteRecord, String> {
    let mut fields = ByteRecord::new();
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(record);
    match reader.read_byte_record(&mut fields) {
        Ok(_) => Ok(fields),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each record as `line: field|field`, or as `line! reason`.
    fn read(file: &[u8]) -> Vec<String> {
        let show = |record: Record| match record.fields {
            Ok(fields) => {
                let fields: Vec<_> = fields.iter().map(String::from_utf8_lossy).collect();
                format!("{}: {}", record.line, fields.join("|"))
            }
            Err(reason) => format!("{}! {reason}", record.line),
        };
        Records::new(file).map(show).collect()
    }

    #[test]
    fn lines_are_counted_as_an_editor_counts_them() {
        assert_eq!(read(b"a,b\n1,2\n"), ["1: a|b", "2: 1|2"]);
        assert_eq!(read(b"\xef\xbb\xbfa\r\n\r\n\"b\"\r\nc"), ["1: a", "3: b", "4: c"]);
        assert_eq!(read(b"\"one\ntwo\",x\ny\n"), ["1: one\ntwo|x", "3: y"]);
        assert_eq!(read(b"\n\n\na"), ["4: a"]);
        assert_eq!(read(b"a,\n"), ["1: a|"]);
        assert!(read(b"").is_empty());
    }

    #[test]
    fn quotes_follow_the_rules() {
        assert_eq!(read(b"\"a, \"\"b\"\"\",\"\"\n"), ["1: a, \"b\"|"]);
        assert_eq!(read(b"5\" pipe,x\n"), ["1: 5\" pipe|x"]);
        assert_eq!(read(b"\"a\"b,c\nd\n"), ["1! there is text after a closing quote", "2: d"]);
    }

    #[test]
    fn a_forgotten_quote_costs_one_line() {
        let unclosed = "a quote is opened but not closed";
        assert_eq!(read(b"\"a,b\nc,d\n\"e\",f\n"), [&format!("1! {unclosed}"), "2: c|d", "3: e|f"]);
        assert_eq!(read(b"a\n\"b"), ["1: a", &format!("2! {unclosed}")]);
        let long = format!("\"a{}", "\nb".repeat(100));
        assert_eq!(read(long.as_bytes()).len(), 101);
    }

    #[test]
    fn a_field_that_is_not_utf8_is_kept_for_whoever_reads_it() {
        assert_eq!(read(b"Mu\xf1oz,1\n"), ["1: Mu\u{fffd}oz|1"]);
    }
}
