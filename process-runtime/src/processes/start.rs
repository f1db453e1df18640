//! The start of a run: checks every input, keeps its files and stores the run.

use std::fmt;
use std::path::PathBuf;

use serde_json::{Map, Value};

use super::{Key, MAX_KEY, Processes, question};
use crate::field::{Field as _, FieldErrors, FieldInfo, Upload, unknown};
use crate::media_type;
use crate::process::Process;
use crate::run::{FailedItem, Run, RunId, SavedCursor};
use crate::store::{StartOptions, StartOutcome, StoreError};
use crate::uploads::{Source, Staging, for_each_file};

/// The request to start a run. It has no `Debug`, because its values may contain a secret.
#[derive(Default)]
pub(crate) struct StartRequest {
    /// The value of each field, as the client sent it.
    pub(crate) values: Map<String, Value>,
    /// The uploaded files. The values refer to them by number.
    pub(crate) files: Option<Staging>,
    /// Errors found while the request was read.
    pub(crate) errors: FieldErrors,
    /// Errors for values that the fields can read, but that are not as the schema has them.
    pub(crate) against_schema: FieldErrors,
    /// A repeated key returns the first run.
    pub(crate) key: Option<Key>,
    /// Overrides the priority of the process.
    pub(crate) priority: Option<i16>,
    /// The actor that starts it.
    pub(crate) actor: Option<String>,
    /// True if the actor has confirmed the start.
    pub(crate) confirmed: bool,
    /// The ended run that this run retries. Its input is `values`.
    pub(crate) goes_on: Option<GoesOn>,
}

/// What a retry takes over from the ended run.
pub(crate) struct GoesOn {
    pub(crate) run: RunId,
    /// The cursor from which the retry continues.
    pub(crate) cursor: Option<SavedCursor>,
    /// The items that failed in the ended run, before and after the cursor.
    pub(crate) failed_items: Vec<FailedItem>,
}

/// The inputs of a run, checked.
pub(crate) struct ValidatedStart {
    /// The values as they are stored.
    pub(crate) stored: Map<String, Value>,
    /// The values as the body receives them, with secrets.
    pub(crate) revealed: Map<String, Value>,
}

impl Processes {
    /// Checks every input and stores the run. The run is durable when this returns.
    pub(crate) async fn start(
        &self,
        process: &'static Process,
        given: StartRequest,
        source: Source,
    ) -> Result<StartOutcome, StartError> {
        let StartRequest { mut values, files, mut errors, against_schema, .. } = given;
        let StartRequest { key, priority, actor, confirmed, goes_on, .. } = given;
        let key = stored_key(key)?;
        let fields = process.fields();
        // The input of a retry was accepted before: it is used as stored, if it can still be read.
        let accepted = goes_on.as_ref().map(|_| values.clone());
        if accepted.is_some() {
            process.leave_out_unknown(&mut values);
        }
        let mut files = files;
        if fields.iter().any(|field| field.shape.has_upload()) {
            let staging = files.take().unwrap_or_else(|| self.uploads().stage());
            let adopted = staging.adopt(&fields, values, source).await;
            let (staging, adopted, wrong) = adopted.map_err(StartError::Files)?;
            values = adopted;
            errors.extend(wrong);
            files = Some(staging);
        }
        let checked = match accepted {
            Some(accepted) => match read(&fields, &values, (errors, against_schema)) {
                (checked, errors) if errors.is_empty() => Ok(checked.with(accepted, &fields)),
                (_, errors) => Err(errors),
            },
            None => check(process, &fields, &values, (errors, against_schema)),
        };
        let checked = checked.map_err(StartError::Input)?;
        process.confirmed(confirmed, &fields, &checked.stored)?;
        let ValidatedStart { stored, mut revealed } = checked;
        let policy = process.policy;
        let mut run = Run::queued(&process.route(), process.title, stored);
        run.priority = priority.unwrap_or(policy.priority);
        run.actor = actor;
        run.bookkeeping.concurrency_key =
            policy.concurrency_key.and_then(|name| run.input.get(name)).map(text);
        if let Some(GoesOn { run: ended, cursor, failed_items }) = goes_on {
            run.retry_of = Some(ended);
            // Items that failed before the cursor count as failed in this run as well.
            if cursor.as_ref().is_some_and(|cursor| cursor.facts.is_some()) {
                run.failed_items = failed_items;
            }
            run.bookkeeping.cursor = cursor;
            run.go_back_to_cursor();
        }
        let id = run.id;
        let kept = match files {
            Some(staging) => Some(self.uploads().keep(staging, id).await.map_err(StartError::Files)?),
            None => None,
        };
        let is_secret =
            |name: &String| fields.iter().any(|field| field.name == name && field.shape.has_secret());
        revealed.retain(|name, _| is_secret(name));
        let has_files = fields.iter().filter(|field| field.shape.has_upload()).any(|field| {
            run.input
                .get(field.name)
                .is_some_and(|value| !value.is_null() && *value != Value::Array(Vec::new()))
        });
        if let Some(home) = self.0.runner.home().filter(|_| has_files || !revealed.is_empty()) {
            run.node = Some(home.name.clone());
            run.bookkeeping.home = Some(home.id);
            run.bookkeeping.pinned = true;
        }
        let limits = self.limits();
        let terms = StartOptions {
            idempotency_key: key,
            exclusive: policy.exclusive,
            max_queued: limits.max_queued,
            max_queued_per_process: limits.max_queued_per_process,
            max_queued_per_actor: limits.max_queued_per_actor,
        };
        self.0.runner.enqueue(run, terms, revealed, kept).await.map_err(StartError::Store)
    }
}

/// A value as one text. A value that is not a text is written as JSON.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn stored_key(key: Option<Key>) -> Result<Option<String>, StartError> {
    key.map(|key| key.stored().ok_or(StartError::IdempotencyKey)).transpose()
}

impl ValidatedStart {
    /// Replaces the values that were read with those that the ended run stored. Fields that the process no longer
    /// has are reported when the body is called. Files keep the values of their copies.
    fn with(mut self, accepted: Map<String, Value>, fields: &[FieldInfo]) -> Self {
        let is_file = |name: &str| fields.iter().any(|field| field.name == name && field.shape.has_upload());
        self.stored.extend(accepted.into_iter().filter(|(name, _)| !is_file(name)));
        self
    }
}

impl Process {
    /// Checks every input that the process has, but for the content of files: a file that is still to be sent is its name,
    /// its size and name (`1048576/customers.csv`), or any other value. `validate` is not called when there is one, because it
    /// may read the file.
    pub(crate) fn validate_only(&self, given: StartRequest) -> Result<(), StartError> {
        let StartRequest { mut values, errors, against_schema, key, confirmed, .. } = given;
        stored_key(key)?;
        let fields = self.fields();
        let (mut to_be_sent, mut unnamed) = (Vec::new(), Vec::new());
        for_each_file(&fields, &mut values, &mut |field_path, value| {
            to_be_sent.push(field_path.to_owned());
            match value.as_str().and_then(size_and_name) {
                // The name of a file shows whether its type is accepted.
                Some((size, name)) => {
                    let media_type = media_type::of_name(name);
                    *value = Upload::new(name, Some(media_type), size, PathBuf::new()).reveal();
                }
                None => unnamed.push(field_path.to_owned()),
            }
        });
        if to_be_sent.is_empty() {
            let errors = (errors, against_schema);
            let checked = check(self, &fields, &values, errors).map_err(StartError::Input)?;
            return self.confirmed(confirmed, &fields, &checked.stored);
        }
        let (checked, errors) = read(&fields, &values, (errors, against_schema.except(&to_be_sent)));
        let errors = errors.except(&unnamed);
        if !errors.is_empty() {
            return Err(StartError::Input(errors));
        }
        // A file that is not named has what was sent in its place.
        values.extend(checked.stored);
        self.confirmed(confirmed, &fields, &values)
    }

    fn confirmed(
        &self,
        confirmed: bool,
        fields: &[FieldInfo],
        values: &Map<String, Value>,
    ) -> Result<(), StartError> {
        match self.confirm.filter(|_| !confirmed) {
            Some(question) => Err(StartError::Unconfirmed(question::ask(question, fields, values))),
            None => Ok(()),
        }
    }
}

/// What is known of a file before it is sent, if its name contains no folder.
fn size_and_name(file: &str) -> Option<(u64, &str)> {
    let (size, name) = file.split_once('/').unwrap_or(("0", file));
    Some((size.parse().ok()?, name)).filter(|(_, name)| !name.contains('/'))
}

/// Reads every field, calls `validate`, and returns all errors at once: between the first ones passed in and the others.
pub(crate) fn check(
    process: &Process,
    fields: &[FieldInfo],
    given: &Map<String, Value>,
    errors: (FieldErrors, FieldErrors),
) -> Result<ValidatedStart, FieldErrors> {
    let (checked, errors) = read(fields, given, errors);
    if !errors.is_empty() {
        return Err(errors);
    }
    match process.validate.map(|validate| validate(&checked.revealed)) {
        Some(Err(errors)) if !errors.is_empty() => Err(errors),
        _ => Ok(checked),
    }
}

/// The values of the fields that could be read, and the errors of the others.
fn read(
    fields: &[FieldInfo],
    given: &Map<String, Value>,
    (mut errors, against_schema): (FieldErrors, FieldErrors),
) -> (ValidatedStart, FieldErrors) {
    let mut checked = ValidatedStart { stored: Map::new(), revealed: Map::new() };
    for field in fields {
        match field.read(given.get(field.name)) {
            Ok((stored, revealed)) => {
                checked.stored.insert(field.name.to_owned(), stored);
                checked.revealed.insert(field.name.to_owned(), revealed);
            }
            Err(wrong) => errors.complete(wrong),
        }
    }
    let names: Vec<_> = fields.iter().map(|field| field.name).collect();
    errors.complete(unknown(&names, given));
    if errors.is_empty() {
        errors = against_schema;
    } else {
        // Of those that are only counted, nothing tells whether they have been counted before.
        errors.complete(against_schema.without_omitted());
    }
    (checked, errors)
}

/// The reason why a run was not started.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The runtime did not accept these inputs.
    #[error("the input is invalid:\n  {}", Lines(.0))]
    Input(#[source] FieldErrors),
    /// The process requires a confirmation, and the start did not confirm it. Contains the question.
    #[error("the process requires confirmation: {0}")]
    Unconfirmed(String),
    /// The idempotency key is empty, longer than 200 bytes, or contains a control character.
    #[error("an idempotency key must have 1 to {MAX_KEY} bytes and no control characters")]
    IdempotencyKey,
    /// The process is not in the registry of this [`Processes`].
    #[error("the process is not mounted here")]
    NotMounted,
    /// The runtime could not store the uploaded files.
    #[error("could not save a file: {0}")]
    Files(#[source] std::io::Error),
    /// The store could not store the run.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Prints the message itself, so that a `main` that returns this error shows it to people.
impl fmt::Debug for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// One error a line.
struct Lines<'a>(&'a FieldErrors);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write(f, "\n  ")
    }
}
