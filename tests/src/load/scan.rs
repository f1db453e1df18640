//! Scans a stream of events for what is counted: event names, the times at the beginning of lines, and progress.

use memchr::memchr;

/// The prefix that identifies a kind of line fits into this.
const SHORT: usize = 32;
/// The longest key with its value.
const LONGEST: usize = 48;
/// The digits of a time in nanoseconds since 1970, from 2001 to 2286.
const DIGITS: usize = 19;

/// The kinds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Name {
    Snapshot,
    Progress,
    Log,
    End,
    Ping,
    #[default]
    Other,
}

/// A finding, in the order of the stream.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Seen {
    /// An event is complete.
    Event(Name),
    /// A log line that begins with a time, in its own event.
    Line(u64),
    /// The same, in a snapshot.
    OldLine(u64),
    /// How far the run is.
    Current(f64),
    Percent(f64),
}

/// Where in a stream the next byte is.
#[derive(Debug, Default)]
pub struct Events {
    name: Name,
    has_data: bool,
    within: Within,
}

#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum Within {
    #[default]
    Start,
    /// In data that may still hold something.
    Data,
    /// In the irrelevant rest of a line.
    Rest,
}

impl Events {
    /// Scans the next bytes, and returns how many are processed: the others must be passed again, before the bytes that
    /// follow. They are always few.
    pub fn scan(&mut self, text: &[u8], mut seen: impl FnMut(Seen)) -> usize {
        let mut at = 0;
        while at < text.len() {
            let left = &text[at..];
            match self.within {
                Within::Start => {
                    let short = &left[..left.len().min(SHORT)];
                    match memchr(b'\n', short) {
                        Some(end) => {
                            self.line(&short[..end], &mut seen);
                            at += end + 1;
                        }
                        None if short.len() < SHORT => return at,
                        None if short.starts_with(b"data: ") => {
                            self.has_data = true;
                            self.within = Within::Data;
                        }
                        None => self.within = Within::Rest,
                    }
                }
                Within::Data => {
                    let end = memchr(b'\n', left);
                    let (used, more) =
                        self.data(&left[..end.unwrap_or(left.len())], end.is_some(), &mut seen);
                    at += used;
                    match end {
                        Some(end) => {
                            at += end + 1 - used;
                            self.within = Within::Start;
                        }
                        None if more => return at,
                        None => self.within = Within::Rest,
                    }
                }
                Within::Rest => match memchr(b'\n', left) {
                    Some(end) => {
                        at += end + 1;
                        self.within = Within::Start;
                    }
                    None => return text.len(),
                },
            }
        }
        at
    }

    /// A complete short line.
    fn line(&mut self, line: &[u8], seen: &mut impl FnMut(Seen)) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            if self.has_data {
                seen(Seen::Event(self.name));
            }
            (self.name, self.has_data) = (Name::Other, false);
        } else if let Some(name) = line.strip_prefix(b"event: ") {
            self.name = match name {
                b"snapshot" => Name::Snapshot,
                b"progress" => Name::Progress,
                b"log" => Name::Log,
                b"end" => Name::End,
                b"ping" => Name::Ping,
                _ => Name::Other,
            };
        } else if line.starts_with(b"data:") {
            self.has_data = true;
            self.data(line, true, seen);
        }
    }

    /// Scans a part of a line of data, or the rest of it. Returns how much is processed, and whether the rest may
    /// contain something.
    fn data(&self, text: &[u8], is_rest: bool, seen: &mut impl FnMut(Seen)) -> (usize, bool) {
        if !matches!(self.name, Name::Log | Name::Progress | Name::Snapshot) {
            return (text.len(), false);
        }
        let mut at = 0;
        while let Some(quote) = memchr(b'"', &text[at..]) {
            at += quote;
            let left = &text[at..];
            if left.len() < LONGEST && !is_rest {
                return (at, true);
            }
            let found = found(left, self.name);
            if let Some(found) = found {
                seen(found);
                // A log event has one line, and most events are log events.
                if self.name == Name::Log {
                    return (text.len(), false);
                }
            }
            at += 1;
        }
        (text.len(), true)
    }
}

fn found(text: &[u8], name: Name) -> Option<Seen> {
    if let Some(value) = text.strip_prefix(br#""text":""#) {
        let digits = value.get(..DIGITS)?;
        let stamp = digits.iter().try_fold(0_u64, |stamp, digit| {
            digit.is_ascii_digit().then(|| stamp * 10 + u64::from(digit - b'0'))
        })?;
        return match name {
            Name::Log => Some(Seen::Line(stamp)),
            Name::Snapshot => Some(Seen::OldLine(stamp)),
            _ => None,
        };
    }
    if name == Name::Log {
        return None;
    }
    if let Some(value) = text.strip_prefix(br#""current":"#) {
        return number(value).map(Seen::Current);
    }
    text.strip_prefix(br#""percent":"#).and_then(number).map(Seen::Percent)
}

fn number(value: &[u8]) -> Option<f64> {
    let value = &value[..value.len().min(LONGEST - 10)];
    let end = value.iter().position(|byte| matches!(byte, b',' | b'}'))?;
    std::str::from_utf8(&value[..end]).ok()?.parse().ok()
}
