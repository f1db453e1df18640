//! Reads a file once to detect its encoding.

use std::io::{self, Read};

/// The bytes that are read at once.
const CHUNK: u64 = 64 << 10;

/// A byte order mark, which states the encoding of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    None,
    Utf8,
    Utf16,
    Utf32,
}

/// Statistics of a file's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Survey {
    pub(super) mark: Mark,
    /// The line of a zero byte among the first bytes. No text has one.
    pub(super) zero_line: Option<usize>,
    /// How many characters beyond ASCII there are in UTF-8.
    pub(super) characters: u64,
    /// How many places are no UTF-8.
    pub(super) invalid: u64,
}

impl Survey {
    /// Reads everything, in pieces.
    pub(super) fn of(mut source: impl Read) -> io::Result<Self> {
        let mut survey = Self { mark: Mark::None, zero_line: None, characters: 0, invalid: 0 };
        let mut text = Vec::new();
        let mut at_start = true;
        while source.by_ref().take(CHUNK).read_to_end(&mut text)? > 0 {
            let mut seen = 0;
            if at_start {
                at_start = false;
                seen = survey.look_at_start(&text);
            }
            seen += survey.tally(&text[seen..]);
            // A character that the end of the piece has cut is looked at again with the next piece.
            text.drain(..seen);
        }
        survey.invalid += u64::from(!text.is_empty());
        Ok(survey)
    }

    /// Whether the bytes are UTF-8.
    ///
    /// A file in Windows-1252 almost never has two bytes in a row that are a character in UTF-8 (`Ã¼`),
    /// and every letter with an accent is a place that is none. So where the characters outnumber the
    /// invalid places, it is a UTF-8 file with broken places, and reading it in Windows-1252 would spoil
    /// all the others.
    pub(super) fn is_utf8(&self) -> bool {
        self.mark == Mark::Utf8 || self.invalid == 0 || self.characters > self.invalid
    }

    /// Gives the length of UTF-8's mark: it is a character itself, but none of the text.
    fn look_at_start(&mut self, text: &[u8]) -> usize {
        let zero = text.iter().position(|byte| *byte == 0);
        self.zero_line = zero.map(|at| 1 + text[..at].iter().filter(|byte| **byte == b'\n').count());
        self.mark = match text {
            [0xEF, 0xBB, 0xBF, ..] => Mark::Utf8,
            // Before UTF-16, with which it begins.
            [0xFF, 0xFE, 0, 0, ..] | [0, 0, 0xFE, 0xFF, ..] => Mark::Utf32,
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => Mark::Utf16,
            _ => Mark::None,
        };
        if self.mark == Mark::Utf8 { 3 } else { 0 }
    }

    /// Gives how many bytes were looked at: all but the beginning of a character at the end.
    fn tally(&mut self, text: &[u8]) -> usize {
        let mut seen = 0;
        loop {
            let rest = &text[seen..];
            let (valid, invalid) = match std::str::from_utf8(rest) {
                Ok(_) => (rest.len(), Some(0)),
                Err(error) => (error.valid_up_to(), error.error_len()),
            };
            // Every character beyond ASCII has one byte that begins it, and no other byte is that high.
            self.characters += rest[..valid].iter().filter(|byte| **byte >= 0xC0).count() as u64;
            seen += valid;
            match invalid {
                None | Some(0) => return seen,
                Some(length) => {
                    self.invalid += 1;
                    seen += length;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(text: &[u8]) -> (u64, u64) {
        let survey = Survey::of(text).unwrap();
        (survey.characters, survey.invalid)
    }

    #[test]
    fn characters_and_invalid_bytes_are_counted() {
        assert_eq!(tally(b""), (0, 0));
        assert_eq!(tally(b"plain"), (0, 0));
        assert_eq!(tally("aä€😀z".as_bytes()), (3, 0));
        assert_eq!(tally(b"Mu\xf1oz \xe4"), (0, 2));
        assert_eq!(tally("ä".as_bytes().split_at(1).0), (0, 1));
        // The mark is no character of the text, unless it stands elsewhere.
        assert_eq!(tally("\u{feff}ä".as_bytes()), (1, 0));
        assert_eq!(tally("ä\u{feff}".as_bytes()), (2, 0));
    }

    #[test]
    fn split_character_is_counted_once() {
        for character in ["ä", "€", "😀"] {
            for before in CHUNK as usize - 4..=CHUNK as usize {
                let text = format!("{}{character}", "x".repeat(before));
                assert_eq!(tally(text.as_bytes()), (1, 0), "{character} after {before}");
            }
        }
        // What looks like the beginning of a character there is none when something else follows.
        let cut = [vec![b'x'; CHUNK as usize - 1], b"\xe4x".to_vec()].concat();
        assert_eq!(tally(&cut), (0, 1));
    }

    #[test]
    fn majority_decides_the_encoding() {
        let is_utf8 = |text: &[u8]| Survey::of(text).unwrap().is_utf8();
        assert!(is_utf8(b"") && is_utf8(b"plain") && is_utf8("Jürgen".as_bytes()));
        assert!(!is_utf8(b"J\xfcrgen"));
        assert!(is_utf8(&[b"Mu\xf1oz ", "Jürgen, Søren".as_bytes()].concat()));
        assert!(!is_utf8(&[b"Mu\xf1oz J\xfcrgen ", "Ã¼".as_bytes()].concat()));
        assert!(is_utf8(b"\xef\xbb\xbfMu\xf1oz"));
    }

    #[test]
    fn utf16_and_nul_bytes_are_detected() {
        assert_eq!(Survey::of(&b"\xff\xfea\0"[..]).unwrap().mark, Mark::Utf16);
        assert_eq!(Survey::of(&b"\xff\xfe\0\0a\0\0\0"[..]).unwrap().mark, Mark::Utf32);
        assert_eq!(Survey::of(&b"\xef\xbb\xbfa"[..]).unwrap().mark, Mark::Utf8);
        assert_eq!(Survey::of(&b"a\nb\0"[..]).unwrap().zero_line, Some(2));
        assert_eq!(Survey::of(&b"a\nb"[..]).unwrap().zero_line, None);
    }
}
