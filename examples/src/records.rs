//! Splits CSV text into records while it is read, each with the number of its first line.
//!
//! The csv crate splits a record into fields, but not a broken file into records: one quote that is
//! never closed would swallow the rest of the file as a single field. Here it costs one line.

use std::io::{self, Read};
use std::ops::Range;

use csv::{ByteRecord, ReaderBuilder};

/// A quoted field can contain line breaks, but a record of more lines has an unclosed quote.
const MOST_LINES: usize = 5;
/// A record of more bytes is missing a line break.
const MOST_BYTES: usize = 1 << 20;
/// The bytes that are read at once.
const CHUNK: u64 = 64 << 10;

/// One record of a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Record {
    /// The number of its first line, counted from 1 as in editors.
    pub(crate) line: usize,
    /// Its fields, or why it is invalid.
    pub(crate) fields: Result<ByteRecord, String>,
}

/// The records of a text, in order. Empty lines are counted but are no records.
///
/// At most one record and one chunk are in memory.
#[derive(Debug)]
pub(crate) struct Records<R> {
    source: R,
    delimiter: u8,
    /// The bytes read from the source. Those before `taken` are processed.
    ahead: Vec<u8>,
    taken: usize,
    /// True at the end of the source.
    ended: bool,
    line: usize,
}

/// A record in `ahead`, or why it is invalid.
struct Found {
    line: usize,
    place: Result<Range<usize>, String>,
}

impl<R: Read> Records<R> {
    pub(crate) fn new(source: R, delimiter: u8) -> Self {
        Self { source, delimiter, ahead: Vec::new(), taken: 0, ended: false, line: 1 }
    }

    /// Counts the remaining records, including invalid ones. Faster than reading them, because no record is split.
    pub(crate) fn count_left(mut self) -> io::Result<usize> {
        let mut count = 0;
        while self.find()?.is_some() {
            count += 1;
        }
        Ok(count)
    }

    fn find(&mut self) -> io::Result<Option<Found>> {
        while !self.rest().is_empty() || self.fill()? {
            let line = self.line;
            let reason = match measure(self.rest(), self.delimiter, self.ended) {
                Ok(Some(span)) => {
                    let place = self.taken..self.taken + span.bytes;
                    self.taken = place.end;
                    self.line += span.lines;
                    if self.ahead[place.clone()].iter().all(|&byte| is_break(byte)) {
                        continue;
                    }
                    return Ok(Some(Found { line, place: Ok(place) }));
                }
                Ok(None) if self.rest().len() < MOST_BYTES => {
                    self.fill()?;
                    continue;
                }
                Ok(None) => format!(
                    "it is longer than 1 MiB, in column {}, so a line break seems to be missing",
                    column_at_end(self.rest(), self.delimiter)
                ),
                Err(reason) => reason,
            };
            // The lines after the invalid one may be valid.
            self.skip_line()?;
            return Ok(Some(Found { line, place: Err(reason) }));
        }
        Ok(None)
    }

    fn rest(&self) -> &[u8] {
        &self.ahead[self.taken..]
    }

    /// Reads the next chunk. Returns false at the end.
    fn fill(&mut self) -> io::Result<bool> {
        self.ahead.drain(..self.taken);
        self.taken = 0;
        let read = self.source.by_ref().take(CHUNK).read_to_end(&mut self.ahead)?;
        self.ended = read == 0;
        Ok(!self.ended)
    }

    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let rest = self.rest();
            let end = rest.iter().position(|&byte| is_break(byte)).unwrap_or(rest.len());
            match break_length(&rest[end..], self.ended) {
                Some(length) if length > 0 => {
                    self.taken += end + length;
                    self.line += 1;
                    return Ok(());
                }
                _ => {
                    self.taken += end;
                    if !self.fill()? && self.rest().is_empty() {
                        return Ok(());
                    }
                }
            }
        }
    }
}

impl<R: Read> Iterator for Records<R> {
    type Item = io::Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        let Found { line, place } = match self.find() {
            Ok(found) => found?,
            Err(error) => return Some(Err(error)),
        };
        let fields = place.and_then(|place| parse(&self.ahead[place], self.delimiter));
        Some(Ok(Record { line, fields }))
    }
}

/// The extent of a record, with its last line break.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Span {
    bytes: usize,
    lines: usize,
}

/// The position of a byte in a record.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    FieldStart,
    Unquoted,
    Quoted,
    /// After a quote that ends the field, unless another one follows.
    QuoteSeen,
}

/// Finds the end of the first record of `text`: the first line break outside quotes (RFC 4180).
///
/// Nothing is found when the end may be in what was not read yet; after the end of the text, this
/// happens no more.
fn measure(text: &[u8], delimiter: u8, ended: bool) -> Result<Option<Span>, String> {
    let unclosed = || Err("a quote is opened but not closed".to_owned());
    let mut place = Place::FieldStart;
    let mut lines = 1;
    let mut at = 0;
    while at < text.len() {
        let Some(length) = break_length(&text[at..], ended) else { return Ok(None) };
        if length > 0 {
            at += length;
            if place != Place::Quoted {
                return Ok(Some(Span { bytes: at, lines }));
            }
            if lines == MOST_LINES {
                return unclosed();
            }
            lines += 1;
            continue;
        }
        place = match (place, text[at]) {
            (Place::Quoted, b'"') => Place::QuoteSeen,
            (Place::Quoted, _) | (Place::QuoteSeen | Place::FieldStart, b'"') => Place::Quoted,
            (_, byte) if byte == delimiter => Place::FieldStart,
            // The quote that seemed to close is the opening one of a later line.
            (Place::QuoteSeen, _) if lines > 1 => return unclosed(),
            (Place::QuoteSeen, _) => return Err("there is text after a closing quote".to_owned()),
            _ => Place::Unquoted,
        };
        at += 1;
    }
    match place {
        _ if !ended => Ok(None),
        Place::Quoted => unclosed(),
        _ => Ok(Some(Span { bytes: text.len(), lines })),
    }
}

/// The column that `text`, the beginning of a record, comes to, counted from 1.
fn column_at_end(text: &[u8], delimiter: u8) -> usize {
    let mut quoted = false;
    let ends = text.iter().filter(|byte| {
        quoted ^= **byte == b'"';
        !quoted && **byte == delimiter
    });
    1 + ends.count()
}

/// How long the line break is that `text` begins with: as the csv crate sees it, `\n`, `\r\n` or `\r`.
///
/// Nothing when that depends on the byte to be read next.
fn break_length(text: &[u8], ended: bool) -> Option<usize> {
    match text {
        [b'\r', b'\n', ..] => Some(2),
        [b'\r'] if !ended => None,
        [b'\r' | b'\n', ..] => Some(1),
        _ => Some(0),
    }
}

fn is_break(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}

fn parse(record: &[u8], delimiter: u8) -> Result<ByteRecord, String> {
    let mut fields = ByteRecord::new();
    let mut builder = ReaderBuilder::new();
    builder.has_headers(false).flexible(true).delimiter(delimiter).buffer_capacity(record.len());
    match builder.from_reader(record).read_byte_record(&mut fields) {
        Ok(_) => Ok(fields),
        Err(error) => Err(error.to_string()),
    }
}

#[cfg(test)]
mod tests;
