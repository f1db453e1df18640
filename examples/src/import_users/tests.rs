//! Importing users: what is stored, and what is reported.

use std::collections::HashSet;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use process_runtime::testing::{TestRun, TestedRun};
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::generate::{Flaw, users_file};

const HEADER: &str = "name,email,joined,country,note";

/// A folder with a file to import and a table to import into.
struct Fixture {
    users: Users,
    _folder: TempDir,
}

impl Fixture {
    fn new(csv: &[u8]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("users.csv");
        fs::write(&file, csv).unwrap();
        Self { users: Users::open(&folder.path().join("users.sqlite3"), &file).unwrap(), _folder: folder }
    }

    async fn import(&self, delimiter: Delimiter, encoding: Encoding) -> Result<Imported, Error> {
        import_file(self.users.file(), delimiter, encoding, &self.users, Pace::NONE, false, &Cursor::new())
            .await
    }

    async fn refusal(&self, delimiter: Delimiter, encoding: Encoding) -> String {
        self.import(delimiter, encoding).await.unwrap_err().to_string()
    }
}

/// The process itself, on the file that belongs to the table.
async fn import_sample(users: &State<Users>, only_check: bool) -> Imported {
    let (pace, cursor) = (State::new(Pace::NONE), Cursor::new());
    let (delimiter, encoding) = (Delimiter::Detect, Encoding::Detect);
    import_users(users.clone(), pace, cursor, None, delimiter, encoding, only_check).await.unwrap()
}

#[tokio::test]
async fn only_broken_lines_are_reported() {
    let sample = users_file();
    let Fixture { users, _folder } = Fixture::new(&sample.bytes);
    let users = State::new(users);
    let imported = import_sample(&users, false).await;

    let broken = sample.broken.len();
    assert_eq!((imported.total, imported.broken), (6_000, broken));
    assert_eq!((imported.imported, imported.updated, imported.unchanged), (6_000 - broken, 0, 0));
    assert_eq!(imported.result, format!("Import finished. Success: {}, Errors: {broken}", 6_000 - broken));
    assert_eq!(users.count().unwrap(), 6_000 - broken);

    let again = import_sample(&users, false).await;
    assert_eq!((again.imported, again.updated, again.unchanged), (0, 0, 6_000 - broken));
}

#[test]
fn each_reason_names_the_flaw() {
    let sample = users_file();
    let Fixture { users, _folder } = Fixture::new(&sample.bytes);
    let format = Format::find(users.file(), Delimiter::Detect, Encoding::Detect, &COLUMNS).unwrap();
    let mut lines_by_email = HashMap::new();
    let reasons = format.open(users.file()).unwrap().skip(1).filter_map(|record| {
        let record = record.unwrap();
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
async fn dry_run_stores_nothing() {
    let Fixture { users, _folder } =
        Fixture::new(format!("{HEADER}\nAda,a@b.cd,2024-01-01,GB,\n,,,,\n").as_bytes());
    let users = State::new(users);
    let checked = import_sample(&users, true).await;
    assert_eq!(checked.result, "Nothing stored. Success: 1, Errors: 1");
    assert_eq!(users.count().unwrap(), 0);
}

#[tokio::test]
async fn every_format_gives_same_users() {
    // The commas and line breaks in quotes, the tab in quotes and the names must survive all of them.
    let text = "name;\"email\";joined;country;note\n\"Søren; Jürgen\";a@b.cd;2024-01-01;DK;\"1,5\tkg\nor more\"\n\
                Inés;i@b.cd;2024-01-02;ES;\n";
    let fixture = Fixture::new(text.as_bytes());
    let first = fixture.import(Delimiter::Detect, Encoding::Detect).await.unwrap();
    assert_eq!((first.imported, first.broken), (2, 0));
    for delimiter in [Delimiter::Comma, Delimiter::Semicolon, Delimiter::Tab] {
        let separator = match delimiter {
            Delimiter::Comma => ",",
            Delimiter::Tab => "\t",
            _ => ";",
        };
        let text = text.replace(';', separator).replace(&format!("Søren{separator}"), "Søren;");
        for text in [text.clone(), text.replace('\n', "\r\n").replace("kg\r\n", "kg\n")] {
            let latin1: Vec<u8> = text.chars().map(|letter| u8::try_from(letter).unwrap()).collect();
            let marked = format!("\u{feff}{text}");
            for (bytes, encoding) in [
                (text.as_bytes(), Encoding::Utf8),
                (marked.as_bytes(), Encoding::Utf8),
                (&latin1, Encoding::Latin1),
            ] {
                fs::write(fixture.users.file(), bytes).unwrap();
                for (delimiter, encoding) in [
                    (Delimiter::Detect, Encoding::Detect),
                    (delimiter, encoding),
                    (delimiter, Encoding::Detect),
                ] {
                    let again = fixture.import(delimiter, encoding).await.unwrap();
                    assert_eq!((again.unchanged, again.total), (2, 2), "{delimiter:?} {encoding:?} {text}");
                }
            }
        }
    }
}

#[tokio::test]
async fn wrong_delimiter_error_names_columns() {
    let fixture = Fixture::new(HEADER.replace(',', ";").as_bytes());
    assert_eq!(
        fixture.refusal(Delimiter::Comma, Encoding::Detect).await,
        "line 1 has no columns `name`, `email`, `joined`, `country`, `note` when separated by comma (,): \
         choose semicolon (;), which the file seems to be separated by, or let it be detected"
    );
    let fixture = Fixture::new(HEADER.replace(',', "\t").as_bytes());
    let said = fixture.refusal(Delimiter::Semicolon, Encoding::Detect).await;
    assert!(said.contains("separated by semicolon (;): choose tab"), "{said}");
}

#[tokio::test]
async fn wrong_columns_are_refused() {
    let rule = "the columns must be `name`, `email`, `joined`, `country`, `note`, in this order";
    for (csv, start) in [
        ("", "the file is empty: "),
        ("\r\n\r\n", "the file is empty: "),
        ("name", "line 1 has no columns `email`, `joined`, `country`, `note`: "),
        ("\nname;mail;joined;country;note\nAda;;;;", "line 2 has no column `email`: "),
        ("email,name,joined,country,note", "line 1 has other columns too, or another order: "),
        ("name,email,joined,country,note,id", "line 1 has other columns too, or another order: "),
        ("\"name,email,joined,country,note\n", "line 1: a quote is opened but not closed; "),
    ] {
        let said = Fixture::new(csv.as_bytes()).refusal(Delimiter::Detect, Encoding::Detect).await;
        assert!(said.starts_with(&format!("{start}{rule}")), "{csv:?}: {said}");
    }
}

#[tokio::test]
async fn padded_header_without_users_is_accepted() {
    let fixture = Fixture::new(b"name , email,joined,\" country\",note\n");
    let imported = fixture.import(Delimiter::Detect, Encoding::Detect).await.unwrap();
    assert_eq!((imported.total, imported.result.as_str()), (0, "Import finished. Success: 0, Errors: 0"));
}

#[tokio::test]
async fn invalid_utf8_costs_one_line() {
    let mut csv = format!("{HEADER}\nJürgen,j@b.cd,2024-01-01,DE,\nSøren,s@b.cd,2024-01-01,DK,\n");
    for number in 0..3_000 {
        csv.push_str(&format!("Ada,ada{number}@example.com,2024-01-01,GB,\n"));
    }
    let csv = [csv.as_bytes(), b"Mu\xf1oz,m@b.cd,2024-01-01,ES,\n"].concat();
    assert!(csv.len() > 100_000);
    let fixture = Fixture::new(&csv);
    let imported = fixture.import(Delimiter::Detect, Encoding::Detect).await.unwrap();
    assert_eq!((imported.imported, imported.broken), (3_002, 1));
}

#[tokio::test]
async fn missing_file_is_named() {
    let fixture = Fixture::new(b"");
    fs::remove_file(fixture.users.file()).unwrap();
    let said = fixture.refusal(Delimiter::Detect, Encoding::Detect).await;
    assert!(said.starts_with("could not read users.csv: "), "{said}");
}

/// A table of three batches, broken in each; its last line but one repeats an address of its first batch.
fn three_batches() -> String {
    let mut csv = format!("{HEADER}\n");
    for number in 1..=600 {
        match number {
            7 | 249 | 250 | 251 | 430 | 600 => csv.push_str(&format!("Nobody {number},,2024-01-01,GB,\n")),
            599 => csv.push_str("Ada,ada3@example.com,2024-01-01,GB,\n"),
            _ => csv.push_str(&format!("Ada,ada{number}@example.com,2024-01-01,GB,\n")),
        }
    }
    csv
}

#[tokio::test]
async fn killed_import_resumes_with_same_result() {
    async fn execute(users: &Arc<Users>, change: impl FnOnce(TestRun) -> TestRun) -> TestedRun {
        let run = TestRun::of::<ImportUsers>().state_arc(Arc::clone(users)).state(Pace::NONE);
        change(run).execute().await.unwrap()
    }
    let fixture = |csv: &str| {
        let Fixture { users, _folder } = Fixture::new(csv.as_bytes());
        (Arc::new(users), _folder)
    };
    let csv = three_batches();
    let (users, _folder) = fixture(&csv);
    let whole = execute(&users, |run| run).await;
    let expected = json!({
        "result": "Import finished. Success: 593, Errors: 7",
        "total": 600, "imported": 593, "updated": 0, "unchanged": 0, "broken": 7,
    });
    assert_eq!(whole.result, expected);
    let failed = &whole.failed_items[5];
    assert_eq!(
        (failed.item.as_str(), failed.reason.as_str()),
        ("line 600", "`ada3@example.com` is on line 4 already")
    );
    assert_eq!((whole.counts.get("valid"), whole.counts.get("failed")), (593, 7));

    // Every step before the first record and around the end of the first batch, and some of the others.
    let steps = (1..5).chain(500..508).chain((508..).step_by(97));
    let mut went_on = 0;
    for step in steps {
        let (users, _folder) = fixture(&csv);
        let first = execute(&users, |run| run.kill_at(step)).await;
        if !first.killed {
            assert_eq!(first.steps, whole.steps);
            break;
        }
        let stored = users.count().unwrap();
        let second = execute(&users, |run| run.cursor(&first.cursor)).await;
        assert_eq!(second.result, expected, "killed at step {step}");
        assert_eq!(users.count().unwrap(), 593);
        // Nothing that was stored was stored again, or it would have been found unchanged.
        let saved = first.cursor.as_ref().map_or(0, |done| done["saved"]["added"].as_u64().unwrap());
        assert_eq!(saved, stored as u64, "killed at step {step}");
        went_on += usize::from(saved > 0);
        // A crash may repeat what was said last, and loses nothing.
        let mut failed = [first.failed_items, second.failed_items].concat();
        let mut seen = HashSet::new();
        failed.retain(|failed| seen.insert(failed.item.clone()));
        assert_eq!(failed, whole.failed_items, "killed at step {step}");
    }
    assert!(went_on > 8, "{went_on}");
}

#[tokio::test]
async fn resumed_import_skips_finished_work() {
    let fixture = Fixture::new(three_batches().as_bytes());
    let cursor = Cursor::at(Done { good: 594, broken: 6, saved: Saved::default() });
    let (users, pace) = (&fixture.users, Pace::parse("3600").unwrap());
    let file = users.file();
    let import = import_file(file, Delimiter::Detect, Encoding::Detect, users, pace, false, &cursor);
    let imported = tokio::time::timeout(Duration::from_secs(20), import).await.unwrap().unwrap();
    assert_eq!((imported.total, imported.broken, users.count().unwrap()), (600, 6, 0));
}
