//! Measures a value as JSON, and detects values that are nested too deeply: writing those would overflow the stack.

use std::io;

use serde::Serialize;

/// The deepest nesting of lists and objects in a value from a process: the store reads 128 levels, and the run around
/// the value needs some.
pub(crate) const MAX_DEPTH: usize = 100;

/// The size of a value, measured without storing its JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measured {
    /// The length of its JSON in bytes, as far as it could be written.
    Bytes(usize),
    /// It has more than [`MAX_DEPTH`] levels. The rest was not measured.
    TooDeep,
}

/// Measures a value. Other errors are reported when the value is written.
pub(crate) fn measure(value: &(impl Serialize + ?Sized)) -> Measured {
    let mut measure = Measure { bytes: 0, depth: 0, in_text: false, is_escaped: false };
    // The error stops a recursive value before it exhausts the stack.
    let _ = serde_json::to_writer(&mut measure, value);
    if measure.depth > MAX_DEPTH { Measured::TooDeep } else { Measured::Bytes(measure.bytes) }
}

struct Measure {
    bytes: usize,
    depth: usize,
    in_text: bool,
    is_escaped: bool,
}

impl io::Write for Measure {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for byte in bytes {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' if self.in_text => self.is_escaped = true,
                b'"' => self.in_text = !self.in_text,
                b'[' | b'{' if !self.in_text => self.depth += 1,
                b']' | b'}' if !self.in_text => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            if self.depth > MAX_DEPTH {
                return Err(io::Error::other("it is nested too deeply"));
            }
        }
        self.bytes += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde::ser::{SerializeSeq as _, Serializer};
    use serde_json::json;

    use super::*;

    /// Nested lists of this depth, which need no memory.
    struct Lists(usize);

    impl Serialize for Lists {
        fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
            let mut list = out.serialize_seq(None)?;
            if self.0 > 1 {
                list.serialize_element(&Lists(self.0 - 1))?;
            }
            list.end()
        }
    }

    #[test]
    fn deep_nesting_stops_at_limit() {
        assert_eq!(measure(&Lists(MAX_DEPTH)), Measured::Bytes(2 * MAX_DEPTH));
        assert_eq!(measure(&Lists(MAX_DEPTH + 1)), Measured::TooDeep);
        assert_eq!(measure(&Lists(usize::MAX)), Measured::TooDeep);
    }

    #[test]
    fn brackets_in_strings_are_ignored() {
        let text = format!("{}\\\"{}\"", "[{".repeat(500), "]".repeat(3));
        let value = json!({ text.as_str(): [text, "\\", "a"], "b": {} });
        assert_eq!(measure(&value), Measured::Bytes(value.to_string().len()));
    }
}
