//! The process that brings the users of a CSV file into the table, and reports every broken line.

use std::collections::HashMap;
use std::path::Path;

use process_runtime::prelude::*;
use process_runtime::{item_failed, log, set_progress_of, set_progress_text, spawn_blocking, tally_of, warn};
use serde::{Deserialize, Serialize};

use crate::csv_format::{Delimiter, Encoding, Format};
use crate::error::Error;
use crate::pace::Pace;
use crate::records::Record;
use crate::users::{COLUMNS, Saved, User, Users};

/// The users of so many records are stored together. A cancelled import keeps the batches it has stored, and
/// running it again finds those users unchanged.
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

/// Up to where the file is imported, and what became of its records so far.
///
/// The figures are part of the place: when the program was stopped in the middle, the result tells of the
/// whole file all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Done {
    good: usize,
    broken: usize,
    saved: Saved,
}

impl Done {
    fn records(self) -> usize {
        self.good + self.broken
    }
}

/// Imports the users in a CSV file. Broken lines are reported with their number and skipped.
#[process(title = "Import users")]
pub async fn import_users(
    users: State<Users>,
    pace: State<Pace>,
    cursor: Cursor<Done>,
    /// With the columns name, email, joined, country and note. Without one, a sample is imported.
    #[field(accept = ".csv,.tsv,.txt,text/csv", max_size = 1 << 30)]
    file: Option<Upload>,
    #[field(default = Delimiter::Detect)] delimiter: Delimiter,
    #[field(default = Encoding::Detect)] encoding: Encoding,
    #[field(label = "Only check", help = "Looks for broken lines and stores nothing.", default = false)]
    only_check: bool,
) -> Result<Imported, Error> {
    let path = file.as_ref().map_or_else(|| users.file(), Upload::path);
    import_file(path, delimiter, encoding, &users, *pace, only_check, &cursor).await
}

/// Imports the users of this CSV file, however it is written, from where the cursor is.
///
/// # Errors
///
/// When the file cannot be read, when it is not the table it should be, and when SQLite cannot write.
pub(crate) async fn import_file(
    path: &Path,
    delimiter: Delimiter,
    encoding: Encoding,
    users: &Users,
    pace: Pace,
    only_check: bool,
    cursor: &Cursor<Done>,
) -> Result<Imported, Error> {
    // A save is as rare as a batch, so each may wait until it is stored: after a crash one batch at the most
    // is stored again. That changes no user; it only counts those as unchanged.
    cursor.repeat_at_most(1);
    let before = cursor.get();
    set_progress_text("Finding out how the file is written");
    let looked_at = path.to_owned();
    // Reads the file through, which cannot be interrupted by an await: it gets a thread of its own.
    let look = spawn_blocking(move || look_through(&looked_at, delimiter, encoding, before.is_none()));
    let (format, total) = look.await.map_err(|_| Error::Unfinished)??;
    let doing = if only_check { "Checking" } else { "Importing" };
    let before = before.unwrap_or_default();
    let left = total.saturating_sub(before.records());
    log(format!("{left} records to import"));
    set_progress_text(format!("{doing} {left} records"));

    let clock = pace.share(left as f64 / total.max(1) as f64).start();
    // The one thing here that grows with the file: a line can only be a repetition of any earlier one.
    let mut lines_by_email = HashMap::new();
    let mut batch = Vec::with_capacity(BATCH);
    let mut reasons = Vec::new();
    let mut done = before;
    let records = format.open(path).map_err(Error::file("open", path))?.skip(1);
    let mut records = records.enumerate().peekable();
    // From here on one piece of the file is read at a time, which is over before anybody would notice.
    while let Some((index, record)) = records.next() {
        let record = record.map_err(Error::file("read", path))?;
        let line = record.line;
        let user = new_user(record, &mut lines_by_email);
        if index < before.records() {
            // It was dealt with before the program stopped; only its address had to be learnt again.
            continue;
        }
        match user {
            Ok(user) => {
                done.good += 1;
                set_progress_text(format!("{doing} user {}", user.name));
                batch.push(user);
            }
            Err(reason) => {
                done.broken += 1;
                reasons.push((line, reason));
            }
        }
        set_progress_of(done.records(), total);
        if done.records().is_multiple_of(BATCH) || records.peek().is_none() {
            // Reported with its batch, so that a crash within a batch repeats no line of the log.
            reasons.drain(..).for_each(|(line, reason)| item_failed(format!("line {line}"), reason));
            tally_of("valid", batch.len());
            if !only_check {
                done.saved += users.save(&batch)?;
            }
            batch.clear();
            cursor.save(done);
        }
        clock.wait(done.records() - before.records(), left).await;
    }

    let verdict = if only_check { "Nothing stored" } else { "Import finished" };
    let Done { good, broken, saved } = done;
    Ok(Imported {
        result: format!("{verdict}. Success: {good}, Errors: {broken}"),
        total: done.records(),
        imported: saved.added,
        updated: saved.updated,
        unchanged: saved.unchanged,
        broken,
    })
}

/// How the file is written and how many records follow its header. What was found is logged before the
/// header is checked: whoever reads the refusal wants to know it. When the import goes on, it was logged.
fn look_through(
    path: &Path,
    delimiter: Delimiter,
    encoding: Encoding,
    is_new: bool,
) -> Result<(Format, usize), Error> {
    let format = Format::find(path, delimiter, encoding, &COLUMNS)?;
    if is_new {
        log(format.to_string());
        format.doubt().into_iter().for_each(warn);
    }
    let failed = || Error::file("read", path);
    let mut records = format.open(path).map_err(failed())?;
    check_header(records.next().transpose().map_err(failed())?, &format)?;
    Ok((format, records.count_left().map_err(failed())?))
}

/// A file with other columns would be one broken line after the other: better to say it once.
fn check_header(header: Option<Record>, format: &Format) -> Result<(), Error> {
    let refused = |reason: String| Err(Error::Input(reason));
    let columns = COLUMNS.map(|column| format!("`{column}`")).join(", ");
    let rule = format!("the columns must be {columns}, in this order");
    let Some(Record { line, fields }) = header else {
        return refused(format!("the file is empty: {rule}, and named in the first line"));
    };
    let fields = match fields {
        Ok(fields) => fields,
        Err(reason) => return refused(format!("line {line}: {reason}; {rule}")),
    };
    let names: Vec<_> = fields.iter().map(|name| String::from_utf8_lossy(name.trim_ascii())).collect();
    if names == COLUMNS {
        return Ok(());
    }
    let missing: Vec<_> = COLUMNS.iter().filter(|column| !names.iter().any(|name| name == *column)).collect();
    let list = missing.iter().map(|column| format!("`{column}`")).collect::<Vec<_>>().join(", ");
    let what = match missing.len() {
        0 => "names other columns too, or in another order".to_owned(),
        1 => format!("has no column {list}"),
        _ => format!("has no columns {list}"),
    };
    match format.likely {
        Some(likely) if likely != format.separator => refused(format!(
            "line {line} {what} when separated by {}: choose {likely}, which the file seems to be separated \
             by, or let it be found out",
            format.separator
        )),
        _ => refused(format!("line {line} {what}: {rule}")),
    }
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
mod tests;
