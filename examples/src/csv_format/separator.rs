//! The column separator, and its detection from the first records.

use std::fmt;

use crate::records::{Record, Records};

/// The number of records to compare with the header.
const COMPARED: usize = 50;

/// A character that separates columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Separator {
    Comma,
    Semicolon,
    Tab,
}

impl Separator {
    // The first one wins where two fit equally well.
    const ALL: [Self; 3] = [Self::Comma, Self::Semicolon, Self::Tab];

    pub(crate) fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
        }
    }

    /// The separator that cuts the header into the expected columns, or else fits best. Nothing, when no
    /// separator finds more than one column.
    ///
    /// `start` is the beginning of a text, or the whole text if not `cut`.
    pub(super) fn find(start: &[u8], cut: bool, columns: &[&str]) -> Option<Self> {
        let fits = Self::ALL.map(|separator| (separator, Fit::of(separator, start, cut, columns)));
        let several = fits.into_iter().filter(|(_, fit)| fit.columns > 1);
        // Of equals, `max_by_key` takes the last.
        several.rev().max_by_key(|(_, fit)| *fit).map(|(separator, _)| separator)
    }
}

impl fmt::Display for Separator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Comma => "comma (,)",
            Self::Semicolon => "semicolon (;)",
            Self::Tab => "tab",
        })
    }
}

/// How well a separator fits. Earlier members take precedence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Fit {
    /// How many of the expected columns the header has.
    known: usize,
    /// How many of the first records have as many columns as the header.
    agreeing: usize,
    /// How many columns the header has.
    columns: usize,
}

impl Fit {
    fn of(separator: Separator, start: &[u8], cut: bool, columns: &[&str]) -> Self {
        // Quotes are followed, so that what is inside them neither separates columns nor ends a record.
        let records = Records::new(start, separator.byte()).take(COMPARED).map_while(Result::ok);
        let mut records: Vec<Record> = records.collect();
        if cut && records.len() > 1 && records.len() < COMPARED {
            // Only a part of the last one is there.
            records.pop();
        }
        let widths: Vec<usize> =
            records.iter().map(|record| record.fields.as_ref().map_or(0, csv::ByteRecord::len)).collect();
        let Some(Ok(header)) = records.first().map(|record| record.fields.as_ref()) else {
            return Self::default();
        };
        let is_there = |column: &&&str| header.iter().any(|name| name.trim_ascii() == column.as_bytes());
        Self {
            known: columns.iter().filter(is_there).count(),
            agreeing: widths[1..].iter().filter(|width| **width == header.len()).count(),
            columns: header.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(start: &str) -> Option<Separator> {
        Separator::find(start.as_bytes(), false, &["name", "email"])
    }

    #[test]
    fn known_header_decides_the_delimiter() {
        assert_eq!(find("name,email\n"), Some(Separator::Comma));
        assert_eq!(find("name;email"), Some(Separator::Semicolon));
        assert_eq!(find("\u{20}name \t email\r\n"), Some(Separator::Tab));
        // Even when the records below have more of another separator.
        assert_eq!(find("name;email\na,b,c;d\ne,f,g;h\n"), Some(Separator::Semicolon));
        assert_eq!(find("name;email;a,b,c,d\n1;2;3,4,5,6\n"), Some(Separator::Semicolon));
        assert_eq!(find("name ,email ;a;b;c\n"), Some(Separator::Comma));
    }

    #[test]
    fn quotes_hide_separators_and_line_breaks() {
        assert_eq!(find("\"name\";\"email\"\n"), Some(Separator::Semicolon));
        assert_eq!(find("\"a;b;c\",\"d\ne;f\"\n\"1;2\",3\n"), Some(Separator::Comma));
        assert_eq!(find("x;y\n\"1,\n2,\";3\n"), Some(Separator::Semicolon));
    }

    #[test]
    fn unknown_header_falls_back_to_records() {
        assert_eq!(find("price, EUR;number\n1.5;x\n2.5;y\n"), Some(Separator::Semicolon));
        assert_eq!(find("a;b;c,d;e;f\n1;2;3,4;5;6\n"), Some(Separator::Semicolon));
        assert_eq!(find("a,b;c\n"), Some(Separator::Comma));
    }

    #[test]
    fn single_column_has_no_delimiter() {
        for text in ["", "\n\n", "name", "name\nDoe, Jane\n", "\"name;email\"\n", "\"name;email\n"] {
            assert_eq!(find(text), None, "{text}");
        }
    }

    #[test]
    fn truncated_record_is_not_compared() {
        let cut = b"a,b;c;d\n1,2;3;4\n5,6";
        let fit = |cut_off| Fit::of(Separator::Comma, cut, cut_off, &[]).agreeing;
        assert_eq!((fit(true), fit(false)), (1, 2));
    }
}
