//! How a CSV file is written: what separates its columns, and in which encoding its text is stored.

mod guess;
mod separator;
mod survey;

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use encoding_rs_io::{DecodeReaderBytes, DecodeReaderBytesBuilder};

use self::guess::Guess;
pub(crate) use self::separator::Separator;
use self::survey::{Mark, Survey};
use process_runtime::prelude::*;

use crate::error::Error;
use crate::records::Records;

/// How much of a file is looked at to find out what separates its columns.
const SAMPLE: u64 = 64 << 10;

/// What separates the columns of a file, as far as a person knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Field)]
pub enum Delimiter {
    /// Find out
    #[default]
    Detect,
    /// Comma (,)
    Comma,
    /// Semicolon (;)
    Semicolon,
    /// Tab
    Tab,
}

impl Delimiter {
    fn chosen(self) -> Option<Separator> {
        match self {
            Self::Detect => None,
            Self::Comma => Some(Separator::Comma),
            Self::Semicolon => Some(Separator::Semicolon),
            Self::Tab => Some(Separator::Tab),
        }
    }
}

/// How the text of a file is stored, as far as a person knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Field)]
pub enum Encoding {
    /// Find out
    #[default]
    Detect,
    /// UTF-8
    Utf8,
    /// Latin-1 (Windows-1252)
    Latin1,
}

impl Encoding {
    fn chosen(self) -> Option<Charset> {
        match self {
            Self::Detect => None,
            Self::Utf8 => Some(Charset::Utf8),
            Self::Latin1 => Some(Charset::Windows1252),
        }
    }
}

/// An encoding that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charset {
    Utf8,
    /// What is called Latin-1 has been this one for decades, on the web by definition: Latin-1 with the
    /// euro sign and typographic quotes where Latin-1 has nothing to print.
    Windows1252,
}

/// The text of a file. In UTF-8, except that bytes in a UTF-8 file that are none are left as they are:
/// whoever reads the record can name the line and the column.
pub(crate) type Text = DecodeReaderBytes<File, Vec<u8>>;

/// How a file is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Format {
    /// What separates the columns.
    pub(crate) separator: Separator,
    /// The detected separator, regardless of the choice. `None` if there is only one column.
    pub(crate) likely: Option<Separator>,
    /// The encoding of the text.
    pub(crate) charset: Charset,
    /// Whether the file begins with a byte order mark, which is not part of the text.
    pub(crate) has_mark: bool,
    survey: Survey,
    separator_chosen: bool,
    charset_chosen: bool,
    /// A line as it reads in the encoding that was guessed.
    guessed: Option<String>,
}

impl Format {
    /// Detects what was not chosen. `columns` are the expected columns of the header.
    ///
    /// The whole file is read once for its encoding, in pieces: its first character beyond ASCII may be
    /// on the last line. The separator is found in the first records.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, when it is no text in one of the encodings, and when it begins with
    /// a mark that contradicts the chosen one.
    pub(crate) fn find(
        path: &Path,
        delimiter: Delimiter,
        encoding: Encoding,
        columns: &[&str],
    ) -> Result<Self, Error> {
        let failed = || Error::file("read", path);
        let survey = File::open(path).and_then(Survey::of).map_err(failed())?;
        let mut charset = choose_charset(&survey, encoding)?;
        let mut guessed = None;
        if encoding.chosen().is_none() && !survey.is_utf8() {
            let guess = File::open(path).and_then(Guess::of).map_err(failed())?;
            if !guess.is_latin() {
                return Err(Error::Input(format!(
                    "the text is not UTF-8, and seems to be {}: save it as UTF-8. If `{}` is how it should read, \
                     choose Latin-1",
                    guess.encoding, guess.sample
                )));
            }
            charset = Charset::Windows1252;
            guessed = Some(guess.sample);
        }
        let mut start = Vec::new();
        let text = File::open(path).map(|file| decode(file, charset)).map_err(failed())?;
        text.take(SAMPLE).read_to_end(&mut start).map_err(failed())?;
        let cut = start.len() as u64 == SAMPLE;
        let likely = Separator::find(&start, cut, columns);
        let chosen = delimiter.chosen();
        Ok(Self {
            separator: chosen.or(likely).unwrap_or(Separator::Comma),
            likely,
            charset,
            has_mark: survey.mark == Mark::Utf8,
            survey,
            separator_chosen: chosen.is_some(),
            charset_chosen: encoding.chosen().is_some(),
            guessed,
        })
    }

    /// Opens a file in this format, to read its records in order.
    pub(crate) fn open(&self, path: &Path) -> io::Result<Records<Text>> {
        let text = decode(File::open(path)?, self.charset);
        Ok(Records::new(text, self.separator.byte()))
    }

    /// A warning about a doubtful encoding, with advice.
    pub(crate) fn doubt(&self) -> Option<String> {
        let Survey { characters, invalid, .. } = self.survey;
        match self.charset {
            Charset::Windows1252 if self.guessed.is_some() => self.guessed.as_ref().map(|sample| {
                format!(
                    "That the text is Latin-1 is a guess: if `{sample}` reads wrong, save the file as UTF-8"
                )
            }),
            Charset::Windows1252 if characters > 0 => Some(format!(
                "{} a character in UTF-8: choose UTF-8 if names look like `JÃ¼rgen`",
                places(characters, "is", "are each")
            )),
            Charset::Utf8 if self.charset_chosen && !self.survey.is_utf8() => Some(format!(
                "{} UTF-8: choose Latin-1, or let it be detected",
                places(invalid, "is not", "are not")
            )),
            _ => None,
        }
    }
}

fn places(number: u64, verb: &str, verb_of_many: &str) -> String {
    match number {
        1 => format!("1 place of the file {verb}"),
        _ => format!("{number} places of the file {verb_of_many}"),
    }
}

// A line for the log: what was detected, chosen or assumed.
impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let how = match self.likely {
            _ if self.separator_chosen => "chosen",
            Some(_) => "detected",
            None => "assumed: there is only one column",
        };
        write!(f, "The columns are separated by {}, {how}; ", self.separator)?;
        let charset = match self.charset {
            Charset::Utf8 if self.has_mark => "UTF-8 with a byte order mark",
            Charset::Utf8 => "UTF-8",
            Charset::Windows1252 => "Latin-1 (Windows-1252)",
        };
        write!(
            f,
            "the text is {charset}, {}",
            match self.guessed {
                _ if self.charset_chosen => "chosen",
                None => "detected",
                Some(_) => "guessed",
            }
        )
    }
}

fn choose_charset(survey: &Survey, encoding: Encoding) -> Result<Charset, Error> {
    let refused = |reason: String| Err(Error::Input(reason));
    if let Some(name) = match survey.mark {
        Mark::Utf16 => Some("UTF-16"),
        Mark::Utf32 => Some("UTF-32"),
        Mark::None | Mark::Utf8 => None,
    } {
        return refused(format!("the file is stored as {name}: save it as UTF-8"));
    }
    if let Some(line) = survey.zero_line {
        return refused(format!(
            "line {line} has a zero byte, so the file is no text: save the table as CSV in UTF-8"
        ));
    }
    match encoding.chosen() {
        Some(Charset::Windows1252) if survey.mark == Mark::Utf8 => refused(
            "line 1 begins with the mark of UTF-8, so the file is not Latin-1: choose UTF-8, or let it \
             be detected"
                .to_owned(),
        ),
        Some(chosen) => Ok(chosen),
        None => Ok(Charset::Utf8),
    }
}

fn decode(file: File, charset: Charset) -> Text {
    let encoding = match charset {
        // Decoding would insert replacement characters, and hide the invalid bytes.
        Charset::Utf8 => None,
        Charset::Windows1252 => Some(encoding_rs::WINDOWS_1252),
    };
    DecodeReaderBytesBuilder::new().encoding(encoding).bom_sniffing(false).strip_bom(true).build(file)
}

#[cfg(test)]
mod tests;
