//! Users: their validation, and the table of users.

use std::ops::AddAssign;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use csv::ByteRecord;
use jiff::civil::Date;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Deserialize, Serialize};

use crate::error::Error;

/// The columns of the file, in this order.
pub(crate) const COLUMNS: [&str; 5] = ["name", "email", "joined", "country", "note"];

/// A user as the file describes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The name, never empty.
    pub name: String,
    /// The e-mail address in lower case: one user each.
    pub email: String,
    /// The day the user joined.
    pub joined: Date,
    /// The country's code, or nothing.
    pub country: String,
    /// Whatever else is known.
    pub note: String,
}

impl User {
    /// Parses a user from a record of the file.
    ///
    /// # Errors
    ///
    /// A reason for the person who maintains the file.
    pub(crate) fn from_record(record: &ByteRecord) -> Result<Self, String> {
        if record.len() != COLUMNS.len() {
            return Err(format!("it has {} columns instead of {}", record.len(), COLUMNS.len()));
        }
        let mut texts = [""; COLUMNS.len()];
        for (index, column) in COLUMNS.iter().enumerate() {
            match std::str::from_utf8(&record[index]) {
                Ok(text) => texts[index] = text.trim(),
                Err(_) => return Err(format!("the {column} is not UTF-8 text: save the line as UTF-8")),
            }
        }
        let [name, email, joined, country, note] = texts;
        if name.is_empty() {
            return Err("the name is missing".to_owned());
        }
        check_email(email)?;
        let joined =
            joined.parse().map_err(|_| format!("in joined, `{joined}` is not a date such as 2024-05-17"))?;
        Ok(Self {
            name: name.to_owned(),
            email: email.to_lowercase(),
            joined,
            country: country.to_owned(),
            note: note.to_owned(),
        })
    }
}

/// Accepts what mail can be sent to over the internet in practice: one `@`, something before it, and a
/// domain of at least two parts after it. Only a mail can show whether the mailbox exists.
fn check_email(email: &str) -> Result<(), String> {
    if email.is_empty() {
        return Err("the email is missing".to_owned());
    }
    let is_part = |part: &str| {
        let allowed = |letter: char| letter.is_alphanumeric() || letter == '-';
        !part.is_empty() && part.chars().all(allowed) && !part.starts_with('-') && !part.ends_with('-')
    };
    let is_mailbox = |local: &str| {
        let refused =
            |letter: char| letter.is_whitespace() || letter.is_control() || "@,;<>\"".contains(letter);
        !local.is_empty() && !local.contains(refused)
    };
    let reason = match email.split_once('@') {
        None => "it has no @",
        Some((_, domain)) if domain.contains('@') => "it has more than one @",
        Some((local, _)) if !is_mailbox(local) => {
            "the part before the @ is empty or has a forbidden character"
        }
        Some((_, domain)) if !domain.contains('.') => "the domain has no dot",
        Some((_, domain)) if !domain.split('.').all(is_part) => "the domain is malformed",
        Some(_) => return Ok(()),
    };
    Err(format!("in email, `{email}` is not an e-mail address: {reason}"))
}

/// How many users a batch added, updated and left unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Saved {
    /// New users.
    pub added: usize,
    /// Existing users with changed data.
    pub updated: usize,
    /// Existing users without changes.
    pub unchanged: usize,
}

impl AddAssign for Saved {
    fn add_assign(&mut self, other: Self) {
        self.added += other.added;
        self.updated += other.updated;
        self.unchanged += other.unchanged;
    }
}

/// The table of users, in SQLite, and the file they come from.
#[derive(Debug)]
pub struct Users {
    file: PathBuf,
    // Held for one batch at a time and never across an await, so a plain lock will do.
    connection: Mutex<Connection>,
}

impl Users {
    /// Opens the table in the file `database`, to be filled from the CSV file `file`.
    ///
    /// # Errors
    ///
    /// When SQLite cannot open or write the database.
    pub fn open(database: &Path, file: &Path) -> Result<Self, Error> {
        let connection = Connection::open(database)?;
        // Other connections can read while a batch is written.
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.execute_batch(
            "CREATE TABLE IF NOT EXISTS users (
                email TEXT PRIMARY KEY,
                name TEXT NOT NULL,
                joined TEXT NOT NULL,
                country TEXT NOT NULL,
                note TEXT NOT NULL
            ) STRICT, WITHOUT ROWID",
        )?;
        Ok(Self { file: file.to_owned(), connection: Mutex::new(connection) })
    }

    /// The CSV file to import from.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Stores a batch of users, all or none. Existing users are updated.
    ///
    /// # Errors
    ///
    /// When SQLite cannot write; then the table is as it was.
    pub fn save(&self, batch: &[User]) -> Result<Saved, Error> {
        let mut saved = Saved::default();
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = connection.transaction()?;
        {
            let mut select = transaction.prepare_cached(
                "SELECT name = ?2 AND joined = ?3 AND country = ?4 AND note = ?5 FROM users WHERE email = ?1",
            )?;
            let mut upsert = transaction.prepare_cached(
                "INSERT INTO users (email, name, joined, country, note) VALUES (?1, ?2, ?3, ?4, ?5)
                 ON CONFLICT (email) DO UPDATE SET name = ?2, joined = ?3, country = ?4, note = ?5",
            )?;
            for user in batch {
                let joined = user.joined.to_string();
                let row = params![user.email, user.name, joined, user.country, user.note];
                match select.query_row(row, |row| row.get(0)).optional()? {
                    None => saved.added += 1,
                    Some(false) => saved.updated += 1,
                    Some(true) => {
                        saved.unchanged += 1;
                        continue;
                    }
                }
                upsert.execute(row)?;
            }
        }
        transaction.commit()?;
        Ok(saved)
    }

    /// How many users there are.
    ///
    /// # Errors
    ///
    /// When SQLite cannot read the table.
    pub fn count(&self) -> Result<usize, Error> {
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let count: i64 = connection.query_row("SELECT count(*) FROM users", [], |row| row.get(0))?;
        Ok(usize::try_from(count).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(fields: [&str; 5]) -> Result<User, String> {
        User::from_record(&ByteRecord::from(fields.as_slice()))
    }

    #[test]
    fn record_becomes_user_or_reason() {
        let ada = user(["Ada", " Ada@Example.com ", "2024-02-29", "GB", ""]).unwrap();
        assert_eq!((ada.name.as_str(), ada.email.as_str()), ("Ada", "ada@example.com"));
        assert_eq!(user([" ", "a@b.cd", "2024-01-01", "", ""]), Err("the name is missing".into()));
        assert_eq!(user(["A", "", "2024-01-01", "", ""]), Err("the email is missing".into()));
        let reason = "in joined, `2023-02-29` is not a date such as 2024-05-17";
        assert_eq!(user(["A", "a@b.cd", "2023-02-29", "", ""]), Err(reason.into()));
        let reason = User::from_record(&ByteRecord::from(vec!["A", "a@b.cd"]));
        assert_eq!(reason, Err("it has 2 columns instead of 5".into()));
        let reason = User::from_record(&ByteRecord::from(vec![&b"Mu\xf1oz"[..], b"a@b.cd", b"", b"", b""]));
        assert_eq!(reason, Err("the name is not UTF-8 text: save the line as UTF-8".into()));
    }

    #[test]
    fn email_addresses_are_validated() {
        for good in [
            "a@b.cd",
            "first.last+tag@mail.example.co.uk",
            "o'brien@xn--bcher-kva.example",
            "jörg@bücher.example",
        ] {
            assert_eq!(check_email(good), Ok(()), "{good}");
        }
        for bad in
            ["a", "@b.cd", "a@", "a@b", "a@@b.cd", "a@b..cd", "a@-b.cd", "a b@c.de", "a@b.cd.", "<a@b.cd>"]
        {
            assert!(check_email(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn saving_distinguishes_new_changed_unchanged() {
        let folder = tempfile::tempdir().unwrap();
        let users =
            Users::open(&folder.path().join("users.sqlite3"), &folder.path().join("none.csv")).unwrap();
        let ada = user(["Ada", "ada@example.com", "2024-02-29", "GB", ""]).unwrap();
        let bob = user(["Bob", "bob@example.com", "2024-02-29", "GB", ""]).unwrap();
        let saved = |added, updated, unchanged| Saved { added, updated, unchanged };
        assert_eq!(users.save(&[ada.clone(), bob.clone()]).unwrap(), saved(2, 0, 0));
        let ada = User { note: "moved".into(), ..ada };
        assert_eq!(users.save(&[ada, bob]).unwrap(), saved(0, 1, 1));
        assert_eq!(users.count().unwrap(), 2);
        assert_eq!(users.file(), folder.path().join("none.csv"));
    }
}
