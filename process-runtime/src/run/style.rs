//! The colours of a log line: what remains of the escape sequences that a tool wrote.

use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A colour of a terminal. Pages show each in a shade that is readable on their background.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Color {
    /// Red.
    Red,
    /// Green.
    Green,
    /// Yellow.
    Yellow,
    /// Blue.
    Blue,
    /// Magenta.
    Magenta,
    /// Cyan.
    Cyan,
    /// Gray: "bright black".
    Gray,
}

impl Color {
    /// Every colour; the first six in the order of their numbers in a terminal, from 1.
    pub const ALL: [Self; 7] =
        [Self::Red, Self::Green, Self::Yellow, Self::Blue, Self::Magenta, Self::Cyan, Self::Gray];

    /// Returns the name used in JSON and on the page.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Red => "red",
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Blue => "blue",
            Self::Magenta => "magenta",
            Self::Cyan => "cyan",
            Self::Gray => "gray",
        }
    }
}

/// How a part of a line looks. `Display` writes it as in JSON: `red`, `bold`, `bold red`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub struct Style {
    /// The colour, if it is not that of plain text.
    pub color: Option<Color>,
    /// True for bold text.
    pub bold: bool,
}

impl fmt::Display for Style {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [self.bold.then_some("bold"), self.color.map(Color::as_str)];
        f.write_str(&names.into_iter().flatten().collect::<Vec<_>>().join(" "))
    }
}

/// A part of a line that has a style. In JSON `[start, len, "red"]`, counted in characters (Unicode code points).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct StyledSpan {
    /// How many characters are before it.
    pub start: u32,
    /// How many characters it has.
    pub len: u32,
    /// How it looks.
    pub style: Style,
}

impl StyledSpan {
    pub(crate) fn end(&self) -> u32 {
        self.start.saturating_add(self.len)
    }
}

impl Serialize for StyledSpan {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        (self.start, self.len, self.style.to_string()).serialize(out)
    }
}

impl<'de> Deserialize<'de> for StyledSpan {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let (start, len, names) = <(u32, u32, String)>::deserialize(from)?;
        let mut style = Style::default();
        for name in names.split(' ') {
            match Color::ALL.into_iter().find(|color| color.as_str() == name) {
                None if name == "bold" => style.bold = true,
                None => return Err(D::Error::custom(format!("`{name}` is not a style"))),
                colour => style.color = colour,
            }
        }
        Ok(Self { start, len, style })
    }
}

/// Splits a text into the parts that its spans divide it into, with the style of each. Spans that lie beyond the text or
/// overlap are cut.
pub(crate) fn pieces<'a>(text: &'a str, spans: &'a [StyledSpan]) -> Vec<(&'a str, Style)> {
    let mut pieces = Vec::with_capacity(spans.len() * 2 + 1);
    let (mut rest, mut at) = (text, 0_u32);
    let mut take = |until: u32, style| {
        let chars = usize::try_from(until.saturating_sub(at)).unwrap_or(usize::MAX);
        let end = rest.char_indices().nth(chars).map_or(rest.len(), |(end, _)| end);
        let (piece, left) = rest.split_at(end);
        if !piece.is_empty() {
            pieces.push((piece, style));
        }
        (rest, at) = (left, at.max(until));
    };
    for span in spans {
        take(span.start, Style::default());
        take(span.end(), span.style);
    }
    take(u32::MAX, Style::default());
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn styles_survive_json() {
        let bold_red = Style { color: Some(Color::Red), bold: true };
        let spans = [
            StyledSpan { start: 0, len: 5, style: bold_red },
            StyledSpan { start: 7, len: 1, style: Style { bold: true, ..Style::default() } },
        ];
        let json = serde_json::to_string(&spans).unwrap();
        assert_eq!(json, r#"[[0,5,"bold red"],[7,1,"bold"]]"#);
        assert_eq!(serde_json::from_str::<[StyledSpan; 2]>(&json).unwrap(), spans);
        assert!(serde_json::from_str::<StyledSpan>(r#"[0,1,"blink"]"#).is_err());
    }

    #[test]
    fn text_splits_at_characters() {
        let red = Style { color: Some(Color::Red), bold: false };
        let span = |start, len| StyledSpan { start, len, style: red };
        let plain = Style::default();
        assert_eq!(pieces("ünï📦 x", &[span(1, 3)]), [("ü", plain), ("nï📦", red), (" x", plain)]);
        assert_eq!(pieces("ab", &[span(0, 1), span(0, 9), span(7, 1)]), [("a", red), ("b", red)]);
        assert_eq!(pieces("", &[span(0, 1)]), []);
    }
}
