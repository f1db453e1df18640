//! The sample file of users, and the errors in its lines.

use super::Dice;

/// How many users the file lists, valid and broken ones together.
pub(crate) const USERS: usize = 6_000;
/// One of this many records is invalid.
const BROKEN: u32 = 40;

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Flaw {
    NoName,
    NoEmail,
    BadEmail,
    BadDate,
    TooFewColumns,
    TooManyColumns,
    RepeatedEmail,
    NotUtf8,
    UnclosedQuote,
}

const FLAWS: [Flaw; 9] = [
    Flaw::NoName,
    Flaw::NoEmail,
    Flaw::BadEmail,
    Flaw::BadDate,
    Flaw::TooFewColumns,
    Flaw::TooManyColumns,
    Flaw::RepeatedEmail,
    Flaw::NotUtf8,
    Flaw::UnclosedQuote,
];

/// A CSV file, and its expected errors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UsersFile {
    pub(crate) bytes: Vec<u8>,
    /// The line each broken record begins on, counted from 1, and its flaw.
    pub(crate) broken: Vec<(usize, Flaw)>,
}

struct Row {
    name: String,
    email: String,
    joined: String,
    country: &'static str,
    note: &'static str,
}

/// A realistic file: mostly valid.
pub(crate) fn users_file() -> UsersFile {
    let mut dice = Dice::new(3);
    let mut bytes = b"name,email,joined,country,note\n".to_vec();
    let mut broken = Vec::new();
    let mut line = 2;
    for number in 1..=USERS {
        let row = row(&mut dice, number);
        // The first user is valid, so that a later line can repeat it.
        let flaw = (number > 1 && dice.one_in(BROKEN)).then(|| FLAWS[broken.len() % FLAWS.len()]);
        let mut record = match flaw {
            None => row.write(),
            Some(flaw) => row.write_broken(flaw, &mut dice),
        };
        record.push(b'\n');
        if let Some(flaw) = flaw {
            broken.push((line, flaw));
        }
        line += record.iter().filter(|byte| **byte == b'\n').count();
        bytes.extend(record);
    }
    UsersFile { bytes, broken }
}

fn row(dice: &mut Dice, number: usize) -> Row {
    const FIRST: [&str; 16] = [
        "Ada", "Björn", "Chiara", "Dmitri", "Elif", "Fatima", "Grace", "Hiroshi", "Inés", "Jürgen", "Kwame",
        "Léa", "Mateo", "Nia", "Olga", "Søren",
    ];
    const LAST: [&str; 16] = [
        "Andersson",
        "Bauer",
        "Costa",
        "Dubois",
        "Evans",
        "Fischer",
        "García",
        "Haddad",
        "Ivanova",
        "Jensen",
        "Kowalski",
        "López",
        "Murphy",
        "Novák",
        "O'Brien",
        "Yılmaz",
    ];
    let (first, last) = (dice.pick(&FIRST), dice.pick(&LAST));
    let domain = dice.pick(&["example.com", "example.org", "mail.example.net", "test.example"]);
    let (year, month, day) = (dice.between(2012, 2026), dice.between(1, 13), dice.between(1, 29));
    Row {
        // A name with a comma is legal as long as it is quoted.
        name: if dice.one_in(8) { format!("\"{last}, {first}\"") } else { format!("{first} {last}") },
        email: format!("user{number}@{domain}"),
        joined: format!("{year}-{month:02}-{day:02}"),
        country: dice.pick(&["DE", "ES", "FR", "GB", "JP", "MX", "SE", "TR"]),
        // So are quotes, if doubled, and line breaks: the reason why a record is not a line.
        note: match dice.between(0, 60) {
            0 => "\"prefers \"\"paper\"\" mail\"",
            1 => "\"call first,\nthen write\"",
            _ => "",
        },
    }
}

impl Row {
    fn write(&self) -> Vec<u8> {
        let Self { name, email, joined, country, note } = self;
        format!("{name},{email},{joined},{country},{note}").into_bytes()
    }

    fn write_broken(&self, flaw: Flaw, dice: &mut Dice) -> Vec<u8> {
        const NO_EMAIL: [&str; 4] =
            ["jo.example.com", "jo@@example.com", "jo@localhost", "jo doe@example.com"];
        const NO_DATE: [&str; 4] = ["2023-02-30", "31/12/2021", "yesterday", "2024-13-01"];
        let Self { name, email, joined, country, .. } = self;
        match flaw {
            Flaw::NoName => format!(",{email},{joined},{country},").into_bytes(),
            Flaw::NoEmail => format!("{name},,{joined},{country},").into_bytes(),
            Flaw::BadEmail => format!("{name},{},{joined},{country},", dice.pick(&NO_EMAIL)).into_bytes(),
            Flaw::BadDate => format!("{name},{email},{},{country},", dice.pick(&NO_DATE)).into_bytes(),
            Flaw::TooFewColumns => format!("{name},{email}").into_bytes(),
            Flaw::TooManyColumns => format!("{name},{email},{joined},{country},,,").into_bytes(),
            Flaw::RepeatedEmail => {
                // The same mailbox, whatever the case.
                let first = row(&mut Dice::new(3), 1).email.to_uppercase();
                format!("{name},{first},{joined},{country},").into_bytes()
            }
            // "Muñoz" as an old spreadsheet saves it.
            Flaw::NotUtf8 => [b"Mu\xf1oz", format!(",{email},{joined},{country},").as_bytes()].concat(),
            Flaw::UnclosedQuote => {
                format!("\"{},{email},{joined},{country},", name.replace('"', "")).into_bytes()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn file_is_deterministic_with_every_flaw() {
        let file = users_file();
        assert_eq!(file, users_file());
        let flaws: HashSet<Flaw> = file.broken.iter().map(|(_, flaw)| *flaw).collect();
        assert_eq!(flaws.len(), FLAWS.len());
        assert!((100..250).contains(&file.broken.len()), "{}", file.broken.len());
        // The sample data must not change by accident.
        assert_eq!(crc32fast::hash(&file.bytes), 2_717_826_664);
    }
}
