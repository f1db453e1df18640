//! Text that programs wrote for a terminal, as plain text and the colours in it. Every text that a run reports is brought
//! into this form once, before anything else sees it.

use std::borrow::Cow;
use std::fmt::Write as _;

use vte::{Params, Parser, Perform};

use crate::run::{Color, Style, StyledSpan, pieces};
use crate::text::{clip, is_control_or_bidi};

/// How many styled parts of one line are kept; what follows is plain.
const MAX_SPANS: usize = 200;
/// Begins a stored line that has styles. No line without styles contains the escape character.
const STYLED: &str = "\u{1b}[m";
/// Returns the parser to plain text, whatever it was in the middle of.
const CANCEL: u8 = 0x18;

/// The text without escape sequences and control characters. Line breaks are `\n`, and there are none at its end.
pub(crate) fn plain(text: impl Into<String>) -> String {
    styled(text).0
}

/// The same in one line, for names: line breaks and tabs become spaces.
pub(crate) fn name(text: &str) -> Cow<'_, str> {
    if is_plain(text) && !text.contains(['\n', '\t']) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(plain(text).trim().replace(['\n', '\t'], " "))
}

/// The plain text, and which parts of it have a colour. A text that is plain is returned as it is.
pub(crate) fn styled(text: impl Into<String>) -> (String, Vec<StyledSpan>) {
    let mut text = text.into();
    let mut styles = Vec::new();
    if !is_plain(&text) {
        let mut screen = Screen::default();
        screen.show(&text);
        (text, styles) = (screen.text, screen.spans);
    }
    text.truncate(text.trim_end_matches('\n').len());
    (text, styles)
}

/// The same, cut at this many bytes.
pub(crate) fn line(text: String, limit: usize) -> (String, Vec<StyledSpan>) {
    let (text, mut styles) = styled(text);
    if text.len() > limit && !styles.is_empty() {
        let kept = text.char_indices().take_while(|(at, c)| at + c.len_utf8() <= limit).count();
        let kept = u32::try_from(kept).unwrap_or(u32::MAX);
        styles.retain_mut(|span| {
            span.len = span.len.min(kept.saturating_sub(span.start));
            span.len > 0
        });
    }
    (clip(text, limit), styles)
}

/// The stored form of a line: its styles become escape sequences, one form for each style.
pub(crate) fn stored<'a>(text: &'a str, styles: &[StyledSpan]) -> Cow<'a, str> {
    if styles.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + styles.len() * 10);
    out.push_str(STYLED);
    for (piece, Style { color, bold }) in pieces(text, styles) {
        let colour = color.map(|colour| match colour {
            Color::Gray => "90".to_owned(),
            colour => (31 + colour as u8).to_string(),
        });
        let bold = bold.then(|| "1".to_owned());
        let codes: Vec<_> = bold.into_iter().chain(colour).collect();
        // Writing to a string does not fail.
        let _ = match codes.is_empty() {
            true => write!(out, "{piece}"),
            false => write!(out, "\u{1b}[{}m{piece}\u{1b}[m", codes.join(";")),
        };
    }
    Cow::Owned(out)
}

/// The text and the styles of a line in its stored form.
pub(crate) fn read_stored(stored: &str) -> (Cow<'_, str>, Vec<StyledSpan>) {
    if !stored.starts_with(STYLED) {
        return (Cow::Borrowed(stored), Vec::new());
    }
    let mut screen = Screen::default();
    screen.show(stored);
    (Cow::Owned(screen.text), screen.spans)
}

/// True if every character of the text is one to show, a line feed or a tab.
fn is_plain(text: &str) -> bool {
    // Every text of a run comes by here, so the usual ones, of printable ASCII, are looked at eight bytes at a time.
    let bytes = text.as_bytes();
    let is_ascii = match bytes.last_chunk::<8>() {
        Some(last) => bytes
            .as_chunks::<8>()
            .0
            .iter()
            .chain([last])
            .fold(true, |all, eight| all & is_printable(u64::from_ne_bytes(*eight))),
        None => bytes.iter().all(|byte| (b' '..0x7f).contains(byte)),
    };
    is_ascii || !text.contains(|c| is_control_or_bidi(c) && c != '\n' && c != '\t')
}

/// True if each of the eight bytes is a printable character of ASCII.
fn is_printable(eight: u64) -> bool {
    /// One in each byte.
    const ONES: u64 = u64::MAX / 255;
    let below_space = eight.wrapping_sub(ONES * 0x20);
    let delete = (eight ^ (ONES * 0x7f)).wrapping_sub(ONES);
    (eight | below_space | delete) & (ONES * 0x80) == 0
}

/// The lines that a terminal would show, as far as that can be said without its width.
#[derive(Default)]
struct Screen {
    text: String,
    /// How many characters the text has.
    chars: u32,
    spans: Vec<StyledSpan>,
    /// Where the current line begins, in bytes, in characters and in spans.
    line: (usize, u32, usize),
    /// The cursor is back at the beginning of the line: the next character replaces the line.
    at_start: bool,
    foreground: Option<Color>,
    background: Option<Color>,
    bold: bool,
}

impl Screen {
    fn show(&mut self, text: &str) {
        let mut parser = Parser::new();
        let mut bytes = [0; 4];
        for line in text.split_inclusive(['\n', '\u{85}', '\u{2028}', '\u{2029}']) {
            for c in line.chars() {
                match c {
                    // An escape sequence that is not closed ends with its line, so that no text is lost behind it.
                    '\n' | '\u{85}' | '\u{2028}' | '\u{2029}' => parser.advance(self, &[CANCEL, b'\n']),
                    // The short forms of escape sequences: the byte 0x9b is `ESC [`.
                    '\u{80}'..='\u{9f}' => parser.advance(self, &[0x1b, (c as u32 as u8) - 0x40]),
                    c => parser.advance(self, c.encode_utf8(&mut bytes).as_bytes()),
                }
            }
        }
    }

    fn put(&mut self, c: char) {
        if std::mem::take(&mut self.at_start) {
            self.clear_line();
        }
        let style = Style { color: self.foreground.or(self.background), bold: self.bold };
        if style != Style::default() {
            let is_full = self.spans.len() >= MAX_SPANS;
            match self.spans.last_mut() {
                Some(last) if last.end() == self.chars && last.style == style => last.len += 1,
                _ if is_full => {}
                _ => self.spans.push(StyledSpan { start: self.chars, len: 1, style }),
            }
        }
        self.text.push(c);
        self.chars += 1;
    }

    fn clear_line(&mut self) {
        let (bytes, chars, spans) = self.line;
        self.text.truncate(bytes);
        self.chars = chars;
        self.spans.truncate(spans);
    }

    fn break_line(&mut self) {
        self.at_start = false;
        self.text.push('\n');
        self.chars += 1;
        self.line = (self.text.len(), self.chars, self.spans.len());
    }

    fn step_back(&mut self) {
        if self.at_start || self.text.len() == self.line.0 || self.text.pop().is_none() {
            return;
        }
        self.chars -= 1;
        if let Some(last) = self.spans.last_mut()
            && last.end() > self.chars
        {
            last.len -= 1;
            if last.len == 0 {
                self.spans.pop();
            }
        }
    }

    fn set_style(&mut self, params: &Params) {
        let mut params = params.iter();
        while let Some(param) = params.next() {
            let code = param.first().copied().unwrap_or(0);
            match code {
                0 => (self.foreground, self.background, self.bold) = (None, None, false),
                1 => self.bold = true,
                22 => self.bold = false,
                30..=37 => self.foreground = indexed(code - 30),
                90..=97 => self.foreground = indexed(code - 82),
                39 => self.foreground = None,
                40..=47 => self.background = indexed(code - 40),
                100..=107 => self.background = indexed(code - 92),
                49 => self.background = None,
                38 | 48 => {
                    // `38:5:9` in one parameter, or `38;5;9` in several.
                    let one = |param: &[u16]| param.first().copied().unwrap_or(0);
                    let mut next = || params.next().map_or(0, one);
                    let colour = match param {
                        [_, 5, index, ..] => indexed(*index),
                        [_, 2, .., red, green, blue] => mixed([*red, *green, *blue]),
                        [_] => match next() {
                            5 => indexed(next()),
                            2 => mixed([next(), next(), next()]),
                            _ => None,
                        },
                        _ => None,
                    };
                    *(if code == 38 { &mut self.foreground } else { &mut self.background }) = colour;
                }
                _ => {}
            }
        }
    }
}

impl Perform for Screen {
    fn print(&mut self, c: char) {
        if !is_control_or_bidi(c) {
            self.put(c);
        }
    }

    fn execute(&mut self, byte: u8) {
        match byte {
            b'\n' | 0x0b | 0x0c => self.break_line(),
            b'\r' => self.at_start = true,
            b'\t' => self.put('\t'),
            0x08 => self.step_back(),
            _ => {}
        }
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], _ignore: bool, action: char) {
        if !intermediates.is_empty() {
            return;
        }
        let first = params.iter().next().and_then(|param| param.first().copied()).unwrap_or(0);
        match (action, first) {
            ('m', _) => self.set_style(params),
            // To the first column.
            ('G', 0 | 1) => self.at_start = true,
            // Clears the line, or the rest of it.
            ('K' | 'J', 1..) => self.clear_line(),
            ('K' | 'J', 0) if self.at_start => self.clear_line(),
            _ => {}
        }
    }
}

/// A colour of the palette. Black and white are the colour of plain text on one background or the other.
fn indexed(index: u16) -> Option<Color> {
    /// The steps of the palette's colour cube.
    const STEPS: [u16; 6] = [0, 95, 135, 175, 215, 255];
    let step = |n: u16| STEPS.get(usize::from(n)).copied().unwrap_or(0);
    match index {
        8 => Some(Color::Gray),
        0..16 => Color::ALL.get(usize::from(index % 8).checked_sub(1)?).copied().filter(|_| index % 8 != 7),
        16..232 => {
            let index = index - 16;
            mixed([step(index / 36), step(index / 6 % 6), step(index % 6)])
        }
        _ => mixed([(index - 232).saturating_mul(10).saturating_add(8); 3]),
    }
}

/// The nearest colour to one of red, green and blue; `None` for black and white.
fn mixed(parts: [u16; 3]) -> Option<Color> {
    let [red, green, blue] = parts;
    let (least, most) = (red.min(green).min(blue), red.max(green).max(blue));
    if most - least < 48 {
        return (64..=192).contains(&most).then_some(Color::Gray);
    }
    let is_on = |part: u16| usize::from(u32::from(part - least) * 5 > u32::from(most - least) * 3);
    Color::ALL.get((is_on(red) + 2 * is_on(green) + 4 * is_on(blue)).checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests;
