//! Texts made safe to show and to log: clipped at a character, without control and bidi characters.

use std::any::Any;
use std::fmt::{self, Display, Write};

/// The longest foreign text in a line of the operator's log, in bytes.
const MAX_SAID: usize = 16_384;

/// Truncates a text at a character boundary and marks the cut.
pub(crate) fn clip(text: impl Into<String>, limit: usize) -> String {
    let mut text = text.into();
    if text.len() > limit {
        let whole = text.len();
        let mut end = limit;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.shrink_to_fit();
        text.push_str(&format!("… [cut: {whole} bytes in all]"));
    }
    text
}

/// The beginning of a text of which a list shows only this many bytes.
pub(crate) fn shorten(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let end = (0..=limit).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    format!("{}…", text.get(..end).unwrap_or_default().trim_end())
}

/// Foreign text as a part of one line of the operator's log: it contains no line breaks, terminal escapes or changes of
/// the reading direction. Characters that cannot be shown are escaped as in Rust; long text is truncated.
pub(crate) struct OneLine<T>(pub(crate) T);

impl<T: Display> Display for OneLine<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut said = Escaping { to: f, left: MAX_SAID };
        match write!(said, "{}", self.0) {
            Err(_) if said.left == 0 => f.write_str("… [cut]"),
            written => written,
        }
    }
}

struct Escaping<'a, 'f> {
    to: &'a mut fmt::Formatter<'f>,
    /// How many bytes may follow.
    left: usize,
}

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            self.left = self.left.saturating_sub(c.len_utf8());
            if self.left == 0 {
                return Err(fmt::Error);
            }
            if is_control_or_bidi(c) {
                write!(self.to, "{}", c.escape_default())?;
            } else {
                self.to.write_char(c)?;
            }
        }
        Ok(())
    }
}

/// The last component of a client's file name, without invisible characters or ones that disguise the name.
pub(crate) fn file_name(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    last.chars().filter(|c| !is_control_or_bidi(*c)).collect()
}

/// The message of a panic, for the operator's log.
pub(crate) fn panic_text(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str)).unwrap_or("no message")
}

/// Control characters; what Unicode calls a separator of lines; what changes the direction of reading.
pub(crate) fn is_control_or_bidi(c: char) -> bool {
    let direction = ['\u{61c}', '\u{200e}', '\u{200f}'];
    let separates_or_directs =
        ('\u{2028}'..='\u{202e}').contains(&c) || ('\u{2066}'..='\u{2069}').contains(&c);
    c.is_control() || separates_or_directs || direction.contains(&c)
}

/// True if the text has this form, in which `0` stands for any digit.
pub(crate) fn has_form(text: &str, form: &str) -> bool {
    text.len() == form.len()
        && text.bytes().zip(form.bytes()).all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            form => byte == form,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_name_drops_folders_and_controls() {
        assert_eq!(file_name("../..\\a/report\u{202e}fdp.exe\0\r\n"), "reportfdp.exe");
        assert_eq!(file_name("größe 1.csv"), "größe 1.csv");
    }

    #[test]
    fn untrusted_text_is_one_safe_line() {
        let said =
            OneLine("a\r\nb\t\u{1b}[31m\u{9b}2J\0\u{2028}\u{202e}\u{2066}\u{200f} é ∆ \\ \"").to_string();
        assert_eq!(
            said,
            "a\\r\\nb\\t\\u{1b}[31m\\u{9b}2J\\u{0}\\u{2028}\\u{202e}\\u{2066}\\u{200f} é ∆ \\ \""
        );
        let long = OneLine("x".repeat(10_000_000)).to_string();
        assert!(long.len() < MAX_SAID + 20 && long.ends_with("x… [cut]"));
        assert_eq!(OneLine(17).to_string(), "17");
    }

    #[test]
    fn long_text_is_cut_at_character() {
        let text = clip("é".repeat(5_000_000), 2_047);
        assert!(text.starts_with("éé") && text.ends_with("é… [cut: 10000000 bytes in all]"));
        assert_eq!(text.matches('é').count(), 1_023);
        assert_eq!(clip("short", 5), "short");
    }
}
