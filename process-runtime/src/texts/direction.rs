//! Data inside a text keeps its own direction: a title in English on a page in Arabic, or the other way round. Pages use
//! `<bdi>` and `dir="auto"` where the data is an element of its own. `texts.js` does the same; change both together.

use std::borrow::Cow;

use super::Texts;

impl Texts {
    /// The data, isolated from the direction of this language if the two could mix.
    pub(crate) fn isolated<'a>(&self, data: &'a str) -> Cow<'a, str> {
        let is_rtl = self.direction() == "rtl";
        let mixes =
            |c: char| if is_rtl { !is_neutral(c) && !is_right_to_left(c) } else { is_right_to_left(c) };
        if data.contains(mixes) { Cow::Owned(format!("\u{2068}{data}\u{2069}")) } else { Cow::Borrowed(data) }
    }
}

/// Characters of Hebrew, Arabic and their neighbours.
fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}')
}

/// What a number consists of, and spaces, whose order a direction does not disturb.
fn is_neutral(c: char) -> bool {
    matches!(
        c,
        ' ' | '\u{a0}' | '0'
            ..='9' | '.' | ',' | ':' | '%' | '\u{200e}' | '\u{200f}' | '\u{2068}' | '\u{2069}'
    )
}
