//! Uploaded files of runs: staged while a start is read, kept while the run needs them, removed when a start fails.
//! Their size is bounded by the upload limit in `limits`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use tokio::task::spawn_blocking;

use crate::field::{Field, FieldErrors, FieldInfo, Shape, Upload};
use crate::folder;
use crate::run::{Run, RunId};
use crate::text::OneLine;
use crate::texts::Message;

/// Where files wait until their run is stored. No run has this name.
const STAGING: &str = "staging";
/// The error for a value that is not a file.
const HOW: &str = "field.no_content";

/// The source of the file names in a start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    /// A client: only files that were sent in the request are accepted.
    Request,
    /// This program: its files are copied from where they are.
    Program,
}

/// The folder with the files of all runs.
#[derive(Debug)]
pub(crate) struct Uploads {
    folder: PathBuf,
    /// The folders that existed when the program started; some may belong to unfinished starts.
    found: Vec<(RunId, PathBuf)>,
}

impl Uploads {
    /// Opens the folder, and removes what an earlier program had not finished taking in.
    pub(crate) fn open(data: &Path) -> io::Result<Self> {
        let folder = data.join("uploads");
        if fs::exists(folder.join(STAGING))? {
            fs::remove_dir_all(folder.join(STAGING))?;
        }
        let mut found = Vec::new();
        if fs::exists(&folder)? {
            for entry in fs::read_dir(&folder)? {
                let entry = entry?;
                if let Some(run) = entry.file_name().to_str().and_then(|name| name.parse().ok()) {
                    found.push((run, entry.path()));
                }
            }
        }
        Ok(Self { folder, found })
    }

    /// The folders that were there when the program started, by their runs.
    pub(crate) fn found(&self) -> &[(RunId, PathBuf)] {
        &self.found
    }

    /// Where the files of a run are.
    pub(crate) fn folder_of(&self, run: RunId) -> PathBuf {
        self.folder.join(run.to_string())
    }

    /// Creates a folder for the files of a start, which may still fail.
    pub(crate) fn stage(&self) -> Staging {
        let folder = self.folder.join(STAGING).join(RunId::new().to_string());
        Staging { folder: Removed(folder), sent: Vec::new(), is_used: false }
    }

    /// Moves the files to a run. They are durable when this returns, and are removed again unless
    /// [`for_good`](Removed::for_good) is called.
    pub(crate) async fn keep(&self, staging: Staging, run: RunId) -> io::Result<Removed> {
        let target = Removed(self.folder_of(run));
        let parent = self.folder.clone();
        let moved = move || {
            if staging.is_used {
                fs::rename(&staging.folder.0, &target.0)?;
                folder::sync(&parent)?;
            }
            Ok(target)
        };
        spawn_blocking(moved).await.map_err(io::Error::other)?
    }

    /// The files among the inputs of a run, whether they are still there or not.
    pub(crate) fn of_run(&self, fields: &[FieldInfo], run: &Run) -> Vec<GivenFile> {
        let (mut input, folder) = (run.input.clone(), self.folder_of(run.id));
        let mut files = Vec::new();
        for_each_file(fields, &mut input, &mut |field_path, value| {
            let text = |key: &str| value.get(key).and_then(Value::as_str);
            let file = text("file").map(Path::new).and_then(Path::file_name);
            let size = value.get("size").and_then(Value::as_u64);
            if let (Some(name), Some(size), Some(file)) = (text("name"), size, file) {
                let upload = Upload::new(name, text("type"), size, folder.join(file));
                files.push(GivenFile { field_path: field_path.to_owned(), upload });
            }
        });
        files
    }

    /// Inserts the full path of each file into a run's input.
    pub(crate) fn locate(&self, fields: &[FieldInfo], run: RunId, input: &mut Map<String, Value>) {
        let folder = self.folder_of(run);
        for_each_file(fields, input, &mut |_, value| {
            let file = value.get("file").and_then(Value::as_str).map(Path::new).and_then(Path::file_name);
            if let Some(path) = file.map(|file| folder.join(file)) {
                value["path"] = json!(path);
            }
        });
    }
}

/// A file among the inputs of a run.
#[derive(Debug)]
pub(crate) struct GivenFile {
    /// Its path in the form, such as `lines.0.file`.
    pub(crate) field_path: String,
    pub(crate) upload: Upload,
}

/// A folder that is removed when this is dropped.
#[derive(Debug)]
pub(crate) struct Removed(PathBuf);

impl Removed {
    /// The folder stays.
    pub(crate) fn for_good(mut self) {
        self.0 = PathBuf::new();
    }
}

impl Drop for Removed {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty()
            && let Err(error) = fs::remove_dir_all(&self.0)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::error!("could not remove a folder of uploads: {}", OneLine(&error));
        }
    }
}

/// The files of a start that has not been stored yet. Dropping it removes them.
#[derive(Debug)]
pub(crate) struct Staging {
    folder: Removed,
    /// The files sent beside the values, which refer to them by index.
    sent: Vec<Upload>,
    /// The folder contains a file.
    is_used: bool,
}

impl Staging {
    /// Opens a new file; when it has been written, [`add`](Self::add) it.
    pub(crate) async fn create(&self) -> io::Result<(tokio::fs::File, PathBuf)> {
        tokio::fs::create_dir_all(&self.folder.0).await?;
        let path = self.folder.0.join(format!("{}.part", self.sent.len()));
        Ok((tokio::fs::File::create_new(&path).await?, path))
    }

    /// Adds a file, and returns the value that represents it.
    pub(crate) fn add(&mut self, file: Upload) -> Value {
        self.sent.push(file);
        self.is_used = true;
        json!({ "upload": self.sent.len() - 1 })
    }

    /// Takes over the file of an earlier run, and returns the value that represents it. Both runs share the content,
    /// if the file system can do that, until the last of them is removed.
    pub(crate) async fn take_over(&mut self, file: &Upload) -> io::Result<Value> {
        tokio::fs::create_dir_all(&self.folder.0).await?;
        let path = self.folder.0.join(format!("{}.part", self.sent.len()));
        if tokio::fs::hard_link(file.path(), &path).await.is_err() {
            tokio::fs::copy(file.path(), &path).await?;
        }
        tokio::fs::File::open(&path).await?.sync_all().await?;
        Ok(self.add(Upload::new(file.name(), Some(file.media_type()), file.size(), path)))
    }

    /// Replaces every file among the values with what [`Upload`] reads, and puts the file into this folder. A value
    /// that is not a file is an error.
    pub(crate) async fn adopt(
        mut self,
        fields: &[FieldInfo],
        mut values: Map<String, Value>,
        source: Source,
    ) -> io::Result<(Self, Map<String, Value>, FieldErrors)> {
        let fields = fields.to_vec();
        let adopted = move || {
            let mut failed = None;
            let adopted = each_in(&fields, &mut values, &mut |field_path, value| {
                match self.take_in(field_path, value, source) {
                    Ok(Some(upload)) => *value = upload.reveal(),
                    Ok(None) => {
                        *value = Value::Null;
                        return Err(FieldErrors::from(Message::new(HOW)).within(field_path));
                    }
                    Err(error) => failed = Some(error),
                }
                Ok(())
            });
            // One that another of the same name has replaced.
            for file in self.sent.iter().filter(|file| file.path().exists()) {
                fs::remove_file(file.path())?;
            }
            match failed {
                Some(error) => Err(error),
                None => Ok((self, values, adopted.err().unwrap_or_default())),
            }
        };
        spawn_blocking(adopted).await.map_err(io::Error::other)?
    }

    /// Moves, writes or copies one file to its name in this folder; `None` if the value is no file.
    fn take_in(&mut self, field_path: &str, value: &Value, source: Source) -> io::Result<Option<Upload>> {
        let text = |key: &str| value.get(key).and_then(Value::as_str);
        let target = self.folder.0.join(field_path);
        let sent = value.get("upload").and_then(Value::as_u64).and_then(|index| usize::try_from(index).ok());
        if let Some(file) = sent.and_then(|index| self.sent.get(index)) {
            fs::rename(file.path(), &target)?;
            return Ok(Some(Upload::new(file.name(), Some(file.media_type()), file.size(), target)));
        }
        let content = text("content").map(|content| STANDARD.decode(content));
        let (name, path) = (text("name").unwrap_or("file"), text("path"));
        let size = match (content, path, source) {
            (Some(Ok(content)), _, _) => {
                fs::create_dir_all(&self.folder.0)?;
                fs::write(&target, &content)?;
                content.len() as u64
            }
            (None, Some(path), Source::Program) => {
                fs::create_dir_all(&self.folder.0)?;
                fs::copy(path, &target)?
            }
            _ => return Ok(None),
        };
        fs::File::open(&target)?.sync_all()?;
        let upload = Upload::new(name, text("type"), size, target);
        self.is_used = true;
        Ok(Some(upload))
    }
}

/// Calls `with` for the value of every file, with its path in the form.
pub(crate) fn for_each_file(
    fields: &[FieldInfo],
    values: &mut Map<String, Value>,
    with: &mut dyn FnMut(&str, &mut Value),
) {
    let visited = each_in(fields, values, &mut |field_path, value| {
        with(field_path, value);
        Ok(())
    });
    drop(visited);
}

/// Calls `with` for every file, with its path in the form. Collects all errors.
fn each_in(
    fields: &[FieldInfo],
    values: &mut Map<String, Value>,
    with: &mut dyn FnMut(&str, &mut Value) -> Result<(), FieldErrors>,
) -> Result<(), FieldErrors> {
    let mut errors = FieldErrors::default();
    for field in fields.iter().filter(|field| field.shape.has_upload()) {
        if let Some(value) = values.get_mut(field.name) {
            errors.extend(each(&field.shape, value, field.name, with).err().unwrap_or_default());
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(errors) }
}

fn each(
    shape: &Shape,
    value: &mut Value,
    field_path: &str,
    with: &mut dyn FnMut(&str, &mut Value) -> Result<(), FieldErrors>,
) -> Result<(), FieldErrors> {
    match (shape, value) {
        (_, Value::Null) => Ok(()),
        // An input left empty.
        (_, Value::String(text)) if text.is_empty() => Ok(()),
        (Shape::Upload { .. }, value) => with(field_path, value),
        (Shape::List { item, .. }, Value::Array(entries)) => {
            let mut errors = FieldErrors::default();
            for (index, entry) in entries.iter_mut().enumerate() {
                errors.extend(
                    each(item, entry, &format!("{field_path}.{index}"), with).err().unwrap_or_default(),
                );
            }
            if errors.is_empty() { Ok(()) } else { Err(errors) }
        }
        (Shape::List { item, .. }, one) => each(item, one, &format!("{field_path}.0"), with),
        (Shape::Group(fields), Value::Object(values)) => {
            // A path is complete only here, with the outer names in front.
            each_in(fields, values, &mut |inner, value| with(&format!("{field_path}.{inner}"), value))
        }
        _ => Ok(()),
    }
}
