//! Detection of file formats, with files on disk.

use std::fs;
use std::path::PathBuf;

use tempfile::TempDir;

use super::*;

const COLUMNS: [&str; 2] = ["name", "note"];

struct Sample {
    path: PathBuf,
    _folder: TempDir,
}

impl Sample {
    fn new(bytes: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sample.csv");
        fs::write(&path, bytes).unwrap();
        Self { path, _folder: folder }
    }

    fn find(&self, delimiter: Delimiter, encoding: Encoding) -> Result<Format, Error> {
        Format::find(&self.path, delimiter, encoding, &COLUMNS)
    }

    fn detect(&self) -> Format {
        self.find(Delimiter::Detect, Encoding::Detect).unwrap()
    }

    /// Each record with `|` between its fields.
    fn read(&self, format: &Format) -> Vec<String> {
        let show = |fields: csv::ByteRecord| {
            let fields: Vec<_> = fields.iter().map(String::from_utf8_lossy).collect();
            fields.join("|")
        };
        format.open(&self.path).unwrap().map(|record| show(record.unwrap().fields.unwrap())).collect()
    }
}

/// The text in the encoding that is called Latin-1, as spreadsheets write it.
fn latin1(text: &str) -> Vec<u8> {
    let (bytes, _, unmappable) = encoding_rs::WINDOWS_1252.encode(text);
    assert!(!unmappable);
    bytes.into_owned()
}

#[test]
fn delimiter_detected_in_every_encoding() {
    for separator in [Separator::Comma, Separator::Semicolon, Separator::Tab] {
        for end in ["\n", "\r\n", "\r"] {
            let text = ["\"name\"|\"note\"", "Jürgen|\"1,5; a\tb\"", "Zoë|“3 €”", ""].join(end);
            let text = text.replace('|', std::str::from_utf8(&[separator.byte()]).unwrap());
            let marked = format!("\u{feff}{text}");
            for (bytes, charset, has_mark) in [
                (text.clone().into_bytes(), Charset::Utf8, false),
                (marked.into_bytes(), Charset::Utf8, true),
                (latin1(&text), Charset::Windows1252, false),
            ] {
                let sample = Sample::new(bytes);
                let format = sample.detect();
                let found = (format.separator, format.likely, format.charset, format.has_mark);
                assert_eq!(found, (separator, Some(separator), charset, has_mark));
                assert_eq!(sample.read(&format), ["name|note", "Jürgen|1,5; a\tb", "Zoë|“3 €”"]);
                assert_eq!(format.open(&sample.path).unwrap().count_left().unwrap(), 3);
                assert_eq!(format.doubt().is_some(), charset == Charset::Windows1252, "a guess is doubtful");
            }
        }
    }
}

#[test]
fn single_column_needs_no_delimiter() {
    let sample = Sample::new("name\n\"Doe, Jane\"\n");
    let format = sample.detect();
    assert_eq!((format.separator, format.likely), (Separator::Comma, None));
    assert_eq!(sample.read(&format), ["name", "Doe, Jane"]);
    assert_eq!(
        format.to_string(),
        "The columns are separated by comma (,), assumed: there is only one column; the text is UTF-8, detected"
    );
}

#[test]
fn empty_file_has_no_records() {
    for bytes in ["", "\u{feff}", "\n"] {
        let sample = Sample::new(bytes);
        let format = sample.detect();
        assert_eq!((format.likely, format.charset), (None, Charset::Utf8));
        assert!(sample.read(&format).is_empty());
    }
}

#[test]
fn chosen_format_overrides_detection() {
    let sample = Sample::new("name;note\nJürgen;x\n");
    let format = sample.find(Delimiter::Tab, Encoding::Utf8).unwrap();
    assert_eq!((format.separator, format.likely), (Separator::Tab, Some(Separator::Semicolon)));
    assert_eq!(sample.read(&format), ["name;note", "Jürgen;x"]);
    assert_eq!(format.to_string(), "The columns are separated by tab, chosen; the text is UTF-8, chosen");
    assert_eq!(
        sample.detect().to_string(),
        "The columns are separated by semicolon (;), detected; the text is UTF-8, detected"
    );
}

#[test]
fn doubtful_encoding_is_reported() {
    let sample = Sample::new("name;note\nJürgen;é\n");
    let format = sample.find(Delimiter::Detect, Encoding::Latin1).unwrap();
    assert_eq!(sample.read(&format)[1], "JÃ¼rgen|Ã©");
    let doubt =
        "2 places of the file are each a character in UTF-8: choose UTF-8 if names look like `JÃ¼rgen`";
    assert_eq!(format.doubt().as_deref(), Some(doubt));

    let sample = Sample::new(latin1("name;note\nJürgen;x\n"));
    let format = sample.find(Delimiter::Detect, Encoding::Utf8).unwrap();
    let doubt = "1 place of the file is not UTF-8: choose Latin-1, or let it be detected";
    assert_eq!(format.doubt().as_deref(), Some(doubt));
    // The byte is still there for whoever names the line.
    assert_eq!(sample.read(&format)[1], "J\u{fffd}rgen|x");
}

#[test]
fn guessed_encoding_is_shown() {
    let format = Sample::new(latin1("name;note\nJürgen Müller;é\n")).detect();
    let said =
        "That the text is Latin-1 is a guess: if `Jürgen Müller;é` reads wrong, save the file as UTF-8";
    assert_eq!(format.doubt().as_deref(), Some(said));
    assert!(format.to_string().ends_with("the text is Latin-1 (Windows-1252), guessed"));
    for (encoding, names) in [
        (encoding_rs::SHIFT_JIS, "山田太郎;ひらがな\n佐藤花子;x\n"),
        (encoding_rs::WINDOWS_1251, "Иван;да\nМария;нет\n"),
    ] {
        let (bytes, _, _) = encoding.encode(names);
        let refused = Sample::new(bytes).find(Delimiter::Detect, Encoding::Detect).unwrap_err().to_string();
        assert!(refused.contains(&format!("seems to be {}: save it as UTF-8", encoding.name())), "{refused}");
        // Whoever knows better can choose.
        let (bytes, _, _) = encoding.encode(names);
        assert!(Sample::new(bytes).find(Delimiter::Detect, Encoding::Latin1).is_ok());
    }
}

#[test]
fn late_special_character_is_detected() {
    let mut text = String::from("name,note\n");
    while (text.len() as u64) < 2 * SAMPLE {
        text.push_str("Ada,plain\n");
    }
    text.push_str("Jürgen,end\n");
    let sample = Sample::new(latin1(&text));
    let format = sample.detect();
    assert_eq!(format.charset, Charset::Windows1252);
    assert_eq!(sample.read(&format).last().unwrap(), "Jürgen|end");

    let sample = Sample::new(&text);
    let format = sample.detect();
    assert_eq!(format.charset, Charset::Utf8);
    assert_eq!(sample.read(&format).last().unwrap(), "Jürgen|end");
}

#[test]
fn character_cut_by_sample_is_ignored() {
    let header = "name;note\n";
    for character in ["ü", "€", "😀"] {
        for missing in 0..=4 {
            let filler = "x".repeat(SAMPLE as usize - header.len() - missing);
            // Without following the quotes, the commas behind the border would be separators.
            let text = format!("{header}{filler}{character};\"a,b,c\"\n");
            let sample = Sample::new(&text);
            let format = sample.detect();
            assert_eq!((format.separator, format.charset), (Separator::Semicolon, Charset::Utf8));
            assert_eq!(sample.read(&format)[1], format!("{filler}{character}|a,b,c"));
            if character != "😀" {
                let sample = Sample::new(latin1(&text));
                let format = sample.detect();
                assert_eq!((format.separator, format.charset), (Separator::Semicolon, Charset::Windows1252));
                assert_eq!(sample.read(&format)[1], format!("{filler}{character}|a,b,c"));
            }
        }
    }
}

#[test]
fn non_text_file_is_refused() {
    let refusal = |bytes: &[u8], encoding| {
        Sample::new(bytes).find(Delimiter::Detect, encoding).unwrap_err().to_string()
    };
    let said = refusal(b"\xff\xfen\0a\0", Encoding::Detect);
    assert_eq!(said, "the file is stored as UTF-16: save it as UTF-8");
    let said = refusal(b"\0\0\xfe\xff\0\0\0n", Encoding::Utf8);
    assert_eq!(said, "the file is stored as UTF-32: save it as UTF-8");
    let said = refusal(b"PK\x03\x04\n\0", Encoding::Utf8);
    assert!(said.starts_with("line 2 has a zero byte, so the file is no text: save"), "{said}");
    let said = refusal("\u{feff}name,note".as_bytes(), Encoding::Latin1);
    assert!(said.starts_with("line 1 begins with the mark of UTF-8, so the file is not Latin-1"), "{said}");
}
