//! Owns the process that brings the users of a CSV file into the table, and reports every broken line.
//! Refuses to know what makes a record a user, and how users are stored.

use std::collections::HashMap;

use process_runtime::prelude::*;
use serde::Serialize;

use crate::error::Error;
use crate::pace::Pace;
use crate::records::{Record, Records};
use crate::users::{COLUMNS, Saved, User, Users};

/// So many users are stored together. A cancelled import keeps the batches it has stored, and running it
/// again finds those users unchanged.
const BATCH: usize = 250;

/// What was imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// What a person wants to read first.
    pub result: String,
    /// All records of the file.
    pub total: usize,
    /// Users who are new in the table.
    pub imported: usize,
    /// Users who were known and have changed.
    pub updated: usize,
    /// Users who were known exactly like that.
    pub unchanged: usize,
    /// Records that are no users; the log has the reason for each.
    pub broken: usize,
}

/// Imports the users in `users.csv`. Broken lines are reported with their number and skipped.
#[process(title = "Importing users")]
pub async fn import_users(
    users: State<Users>,
    pace: State<Pace>,
    #[field(label = "Only check", help = "Looks for broken lines and stores nothing.", default = false)]
    only_check: bool,
) -> Result<Imported, Error> {
    let file = users.read_file()?;
    let mut records = Records::new(&file);
    check_header(records.next())?;
    let total = records.clone().count();
    log(format!("{total} records to import"));

    let doing = if only_check { "Checking" } else { "Importing" };
    let clock = pace.start();
    let mut lines_by_email = HashMap::new();
    let mut batch = Vec::with_capacity(BATCH);
    let mut saved = Saved::default();
    let mut broken = 0;
    for (index, record) in records.enumerate() {
        let done = index + 1;
        let line = record.line;
        match new_user(record, &mut lines_by_email) {
            Ok(user) => {
                set_progress_text(format!("{doing} user {}", user.name));
                batch.push(user);
            }
            Err(reason) => {
                broken += 1;
                warn(format!("line {line}: {reason}"));
            }
        }
        if (batch.len() == BATCH || done == total) && !only_check {
            let Saved { added, updated, unchanged } = users.save(&batch)?;
            saved.added += added;
            saved.updated += updated;
            saved.unchanged += unchanged;
            batch.clear();
        }
        set_progress_of(done, total);
        clock.wait(done, total).await;
    }

    let good = total - broken;
    let done = if only_check { "Nothing stored" } else { "Import finished" };
    Ok(Imported {
        result: format!("{done}. Success: {good}, Errors: {broken}"),
        total,
        imported: saved.added,
        updated: saved.updated,
        unchanged: saved.unchanged,
        broken,
    })
}

/// A file with other columns would be one broken line after the other: better to say it once.
fn check_header(header: Option<Record>) -> Result<(), Error> {
    let fields = header.and_then(|record| record.fields.ok()).unwrap_or_default();
    if fields == COLUMNS[..] {
        return Ok(());
    }
    Err(Error::Input(format!("the first line of users.csv must be `{}`", COLUMNS.join(","))))
}

/// The user in a record, unless an earlier line has the same e-mail address.
fn new_user(record: Record, lines_by_email: &mut HashMap<String, usize>) -> Result<User, String> {
    let user = User::from_record(&record.fields?)?;
    match lines_by_email.get(&user.email) {
        Some(line) => Err(format!("`{}` is on line {line} already", user.email)),
        None => {
            lines_by_email.insert(user.email.clone(), record.line);
            Ok(user)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::{Flaw, users_file};

    fn users(folder: &std::path::Path, csv: &[u8]) -> State<Users> {
        let file = folder.join("users.csv");
        std::fs::write(&file, csv).unwrap();
        State::new(Users::open(&folder.join("users.sqlite3"), &file).unwrap())
    }

    #[tokio::test]
    async fn exactly_the_broken_lines_are_reported_and_all_others_stored() {
        let folder = tempfile::tempdir().unwrap();
        let sample = users_file();
        let users = users(folder.path(), &sample.bytes);
        let imported = import_users(users.clone(), State::new(Pace::NONE), false).await.unwrap();

        let broken = sample.broken.len();
        assert_eq!((imported.total, imported.broken), (6_000, broken));
        assert_eq!((imported.imported, imported.updated, imported.unchanged), (6_000 - broken, 0, 0));
        assert_eq!(
            imported.result,
            format!("Import finished. Success: {}, Errors: {broken}", 6_000 - broken)
        );
        assert_eq!(users.count().unwrap(), 6_000 - broken);

        let again = import_users(users.clone(), State::new(Pace::NONE), false).await.unwrap();
        assert_eq!((again.imported, again.updated, again.unchanged), (0, 0, 6_000 - broken));
    }

    #[test]
    fn each_reason_names_the_flaw() {
        let sample = users_file();
        let mut lines_by_email = HashMap::new();
        let reasons = Records::new(&sample.bytes).skip(1).filter_map(|record| {
            let line = record.line;
            new_user(record, &mut lines_by_email).err().map(|reason| (line, reason))
        });
        let mut broken = sample.broken.iter();
        for (line, reason) in reasons {
            let (expected, flaw) = broken.next().unwrap();
            assert_eq!(line, *expected, "{reason}");
            let part = match flaw {
                Flaw::NoName => "the name is missing",
                Flaw::NoEmail => "the email is missing",
                Flaw::BadEmail => "is not an e-mail address",
                Flaw::BadDate => "is not a date",
                Flaw::TooFewColumns => "2 columns instead of 5",
                Flaw::TooManyColumns => "7 columns instead of 5",
                Flaw::RepeatedEmail => "is on line 2 already",
                Flaw::NotUtf8 => "the name is not UTF-8 text",
                Flaw::UnclosedQuote => "a quote is opened but not closed",
            };
            assert!(reason.contains(part), "{flaw:?}: {reason}");
        }
        assert_eq!(broken.next(), None);
    }

    #[tokio::test]
    async fn only_checking_stores_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let users =
            users(folder.path(), b"name,email,joined,country,note\nAda,a@b.cd,2024-01-01,GB,\n,,,,\n");
        let checked = import_users(users.clone(), State::new(Pace::NONE), true).await.unwrap();
        assert_eq!(checked.result, "Nothing stored. Success: 1, Errors: 1");
        assert_eq!(users.count().unwrap(), 0);
    }

    #[tokio::test]
    async fn a_file_with_other_columns_is_refused_in_a_sentence() {
        let folder = tempfile::tempdir().unwrap();
        for other in [&b""[..], b"id;name\n1;Ada\n"] {
            let error = import_users(users(folder.path(), other), State::new(Pace::NONE), false).await;
            let expected = "the first line of users.csv must be `name,email,joined,country,note`";
            assert_eq!(error.unwrap_err().to_string(), expected);
        }
    }
}
