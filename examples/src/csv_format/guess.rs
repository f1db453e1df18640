//! Guesses the encoding of a text that is not UTF-8. No file says it, so a guess is shown to whoever can tell.

use std::io::{self, BufRead as _, BufReader, Read};

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};

/// How many bytes of lines beyond ASCII are looked at: more hardly change a guess.
const ENOUGH: usize = 64 << 10;
/// The longest line that is looked at, and how much of one is shown.
const LONGEST: u64 = 64 << 10;
const SHOWN: usize = 60;
/// The encodings of Western and Central European languages, whose letters a short text does not tell apart.
const LATIN: [&str; 5] = ["windows-1252", "windows-1250", "windows-1254", "windows-1257", "ISO-8859-2"];

/// What a text beyond ASCII seems to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Guess {
    /// The name of the encoding, as in browsers.
    pub(super) encoding: &'static str,
    /// How its first line beyond ASCII reads in Windows-1252.
    pub(super) sample: String,
}

impl Guess {
    pub(super) fn of(source: impl Read) -> io::Result<Self> {
        let mut source = BufReader::new(source);
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        let (mut line, mut seen, mut sample) = (Vec::new(), 0, String::new());
        while seen < ENOUGH && source.by_ref().take(LONGEST).read_until(b'\n', &mut line)? > 0 {
            if !line.is_ascii() {
                seen += line.len();
                detector.feed(&line, false);
                if sample.is_empty() {
                    let (text, _, _) = encoding_rs::WINDOWS_1252.decode(&line);
                    sample = text.trim_end().chars().take(SHOWN).collect();
                }
            }
            line.clear();
        }
        detector.feed(&[], true);
        Ok(Self { encoding: detector.guess(None, Utf8Detection::Deny).name(), sample })
    }

    /// True if Windows-1252 shows at least most of its letters.
    pub(super) fn is_latin(&self) -> bool {
        LATIN.contains(&self.encoding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_are_told_apart() {
        let guess = |encoding: &'static encoding_rs::Encoding, text: &str| {
            let (bytes, _, unmappable) = encoding.encode(text);
            assert!(!unmappable);
            Guess::of(&*bytes).unwrap()
        };
        let german = guess(encoding_rs::WINDOWS_1252, "name\nJürgen Müller\nZoë\n");
        assert!(german.is_latin());
        assert_eq!(german.sample, "Jürgen Müller");
        let japanese = guess(encoding_rs::SHIFT_JIS, "name\n山田太郎\n佐藤花子\nひらがな\n");
        assert_eq!((japanese.encoding, japanese.is_latin()), ("Shift_JIS", false));
        let russian = guess(encoding_rs::WINDOWS_1251, "name\nИван Петров\nМария Сидорова\n");
        assert_eq!((russian.encoding, russian.is_latin()), ("windows-1251", false));
        let greek = guess(encoding_rs::WINDOWS_1253, "name\nΓιώργος Παπαδόπουλος\nΜαρία\n");
        assert!(!greek.is_latin(), "{greek:?}");
    }
}
