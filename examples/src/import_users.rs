//! The process that imports users from a CSV file, and reports every invalid line.

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
    /// A summary.
    pub result: String,
    /// The number of records in the file.
    pub total: usize,
    /// New users.
    pub imported: usize,
    /// Existing users with changed data.
    pub updated: usize,
    /// Existing users without changes.
    pub unchanged: usize,
    /// Invalid records; the log contains the reason for each.
    pub broken: usize,
}

/// The position in the file, and the counts so far.
///
/// The counts are part of the position, so that the result covers the whole file even if the program was
/// stopped in the middle.
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
    #[field(label = "Only check", help = "Reports invalid lines and stores nothing.", default = false)]
    only_check: bool,
) -> Result<Imported, Error> {
    let path = file.as_ref().map_or_else(|| users.file(), Upload::path);
    import_file(path, delimiter, encoding, &users, *pace, only_check, &cursor).await
}

/// Imports the users of this CSV file in any supported format, starting at the cursor.
///
/// # Errors
///
/// When the file cannot be read, when its columns are wrong, and when SQLite cannot write.
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
    set_progress_text("Detecting the file format");
    let looked_at = path.to_owned();
    // Reads the whole file without an await, so it gets its own thread.
    let look = spawn_blocking(move || look_through(&looked_at, delimiter, encoding, before.is_none()));
    let (format, total) = look.await.map_err(|_| Error::Unfinished)??;
    let doing = if only_check { "Checking" } else { "Importing" };
    let before = before.unwrap_or_default();
    let left = total.saturating_sub(before.records());
    log(format!("{left} records to import"));
    set_progress_text(format!("{doing} {left} records"));

    let clock = pace.share(left as f64 / total.max(1) as f64).start();
    // This set grows with the file, because a line may repeat any earlier one.
    let mut lines_by_email = HashMap::new();
    let mut batch = Vec::with_capacity(BATCH);
    let mut reasons = Vec::new();
    let mut done = before;
    let records = format.open(path).map_err(Error::file("open", path))?.skip(1);
    let mut records = records.enumerate().peekable();
    // From here on, the file is read in small chunks, which do not block for long.
    while let Some((index, record)) = records.next() {
        let record = record.map_err(Error::file("read", path))?;
        let line = record.line;
        let user = new_user(record, &mut lines_by_email);
        if index < before.records() {
            // It was imported before the program stopped; only its address is needed.
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
            // Reported with its batch, so that a crash within a batch repeats no log line.
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

/// A file with other columns is reported once, instead of one invalid line after the other.
fn check_header(header: Option<Record>, format: &Format) -> Result<(), Error> {
    let refused = |reason: String| Err(Error::Input(reason));
    let columns = COLUMNS.map(|column| format!("`{column}`")).join(", ");
    let rule = format!("the columns must be {columns}, in this order");
    let Some(Record { line, fields }) = header else {
        return refused(format!("the file is empty: {rule}, and the first line must name them"));
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
        0 => "has other columns too, or another order".to_owned(),
        1 => format!("has no column {list}"),
        _ => format!("has no columns {list}"),
    };
    match format.likely {
        Some(likely) if likely != format.separator => refused(format!(
            "line {line} {what} when separated by {}: choose {likely}, which the file seems to be separated \
             by, or let it be detected",
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
