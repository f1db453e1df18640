//! Files as form fields: their metadata, and how to read them.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::{Field, FieldErrors, Shape, UploadOptions, expected};
use crate::media_type;
use crate::text::file_name;
use crate::texts::Message;

/// The default of `max_size`: 100 MiB.
const MAX_SIZE: u64 = 100 << 20;
/// The maximum length of a file name that is kept, in bytes.
const MAX_NAME: usize = 255;
/// The maximum length of its ending, with the dot.
const MAX_ENDING: usize = 32;

/// A file that was uploaded for a run.
///
/// The file is in the data folder, under a name that the runtime generates, for as long as its run is retained. The
/// original file name is for display only: it is never part of a path.
///
/// ```no_run
/// use process_runtime::prelude::*;
/// use tokio::io::AsyncReadExt as _;
///
/// #[process(title = "Counting bytes")]
/// async fn count_bytes(
///     #[field(accept = ".csv", max_size = 10 << 20)] file: Upload,
/// ) -> Result<usize, std::io::Error> {
///     let mut reader = file.open().await?;
///     let mut text = String::new();
///     set_progress_text(format!("Reading {} ({} bytes)", file.name(), file.size()));
///     reader.read_to_string(&mut text).await
/// }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upload {
    name: String,
    media_type: String,
    size: u64,
    path: PathBuf,
}

impl Upload {
    /// Uses a file on this machine, for a start from Rust or for calling a process in a unit test. A start copies the
    /// file.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no such file.
    pub fn from_path(path: impl Into<PathBuf>) -> io::Result<Self> {
        let path = path.into();
        let size = std::fs::metadata(&path)?.len();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        Ok(Self { media_type: media_type(&name, None), name: display_name(&name), size, path })
    }

    pub(crate) fn new(name: &str, given_type: Option<&str>, size: u64, path: PathBuf) -> Self {
        let name = display_name(name);
        Self { media_type: media_type(&name, given_type), name, size, path }
    }

    /// Returns the original file name without folders. Use it for display, not as a path.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the size in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns the media type that the client sent, such as `text/csv`. It is not verified.
    pub fn media_type(&self) -> &str {
        &self.media_type
    }

    /// Returns the path of the file. Only read it: a run that is started again from this one shares the content.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the file for reading.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be opened.
    pub async fn open(&self) -> io::Result<tokio::fs::File> {
        tokio::fs::File::open(&self.path).await
    }
}

impl Field for Upload {
    type Options = UploadOptions;

    fn shape(options: &UploadOptions) -> Shape {
        Shape::Upload { accept: options.accept, max_size: options.max_size.unwrap_or(MAX_SIZE) }
    }

    /// Reads what [`render`](Field::render) or [`reveal`](Field::reveal) wrote. The runtime converts an upload to
    /// that form once its content is in the data folder.
    fn parse(value: &Value, options: &UploadOptions) -> Result<Self, FieldErrors> {
        let what = "expected.file";
        let Value::Object(parts) = value else { return Err(expected(what, value)) };
        let text = |key: &str| parts.get(key).and_then(Value::as_str);
        let (Some(name), Some(size)) = (text("name"), parts.get("size").and_then(Value::as_u64)) else {
            return Err(expected(what, value));
        };
        let path = text("path").or(text("file")).unwrap_or_default();
        let upload = Self::new(name, text("type"), size, path.into());
        let max_size = options.max_size.unwrap_or(MAX_SIZE);
        if size > max_size {
            return Err(too_large(max_size));
        }
        match options.accept {
            Some(accept) if !accepted(accept).any(|one| one.fits(&upload.name, Some(&upload.media_type))) => {
                let message = Message::new("field.file_refused").with("accept", accept);
                Err(message.with("name", format!("{:?}", upload.name)).into())
            }
            _ => Ok(upload),
        }
    }

    /// Writes the name in the run's folder rather than the full path, since the data folder may be moved.
    fn render(&self) -> Value {
        Value::Object(self.parts("file", self.path.file_name().unwrap_or_default().as_ref()))
    }

    fn reveal(&self) -> Value {
        let Value::Object(mut parts) = self.render() else { return Value::Null };
        parts.extend(self.parts("path", &self.path));
        Value::Object(parts)
    }
}

impl Upload {
    fn parts(&self, key: &str, path: &Path) -> Map<String, Value> {
        let all = json!({ "name": self.name, "type": self.media_type, "size": self.size, key: path.to_string_lossy() });
        all.as_object().cloned().unwrap_or_default()
    }
}

/// The error for a file over the size limit of its field.
pub(crate) fn too_large(max_size: u64) -> FieldErrors {
    Message::new("field.file_too_large").with("size", readable_size(max_size)).into()
}

/// A size limit as text for its error.
pub(crate) fn readable_size(number: u64) -> Message {
    const MIB: u64 = 1 << 20;
    if number >= MIB && number.is_multiple_of(MIB) {
        Message::new("size.mebibytes").with("n", number / MIB)
    } else {
        Message::new("size.bytes").with("n", number)
    }
}

/// The last path component of the client's file name, without characters that cannot be shown.
fn display_name(name: &str) -> String {
    let mut clean = file_name(name);
    // What tells the kind of the file stays.
    let ending =
        clean.rfind('.').filter(|dot| clean.len() - dot <= MAX_ENDING).map(|dot| clean.split_off(dot));
    let ending = ending.unwrap_or_default();
    while clean.len() + ending.len() > MAX_NAME {
        clean.pop();
    }
    clean.push_str(&ending);
    if clean.is_empty() { "file".to_owned() } else { clean }
}

/// The media type that the client sent if it is readable; otherwise derived from the file name.
fn media_type(name: &str, given: Option<&str>) -> String {
    let readable =
        |kind: &&str| kind.len() <= 100 && kind.contains('/') && kind.chars().all(|c| c.is_ascii_graphic());
    if let Some(given) = given.map(|kind| kind.split(';').next().unwrap_or_default().trim()).filter(readable)
    {
        return given.to_ascii_lowercase();
    }
    media_type::of_name(name).to_owned()
}

/// One of the files that a field accepts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Accepted {
    Any,
    /// Names with this ending, in lower case.
    Ending(String),
    /// Files of this media type, in lower case.
    Type(String),
    /// Files of these media types: `image/`.
    Family(String),
}

/// The files of a list as in HTML's `accept`.
pub(crate) fn accepted(accept: &str) -> impl Iterator<Item = Accepted> {
    accept.split(',').map(|one| one.trim().to_ascii_lowercase()).map(|one| match one.strip_suffix("/*") {
        _ if one.starts_with('.') => Accepted::Ending(one),
        Some("*") => Accepted::Any,
        Some(family) => Accepted::Family(format!("{family}/")),
        None => Accepted::Type(one),
    })
}

impl Accepted {
    pub(super) fn fits(&self, name: &str, media_type: Option<&str>) -> bool {
        let media_type = media_type.unwrap_or_default().to_ascii_lowercase();
        match self {
            Self::Any => true,
            Self::Ending(ending) => name.to_ascii_lowercase().ends_with(ending),
            Self::Type(one) => media_type == *one,
            Self::Family(family) => media_type.strip_prefix(family.as_str()).is_some_and(|kind| {
                !kind.is_empty()
                    && kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+-".contains(&byte))
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn upload_name_is_never_a_path() {
        assert_eq!(display_name("C:\\Users\\ada\\prices.csv"), "prices.csv");
        assert_eq!(display_name("../../etc/passwd"), "passwd");
        assert_eq!(display_name("a\u{0}b\r\n.csv"), "ab.csv");
        assert_eq!(display_name("/"), "file");
        assert_eq!(display_name(&"ö".repeat(300)).len(), 254);
        assert_eq!(display_name(&format!("{}.csv", "ö".repeat(300))), format!("{}.csv", "ö".repeat(125)));
    }

    #[test]
    fn upload_round_trips() {
        let upload = Upload::new("a.csv", Some("text/csv; charset=utf-8"), 5, "/data/run/file".into());
        let options = UploadOptions { accept: Some(".CSV, image/*"), ..UploadOptions::default() };
        assert_eq!(Upload::parse(&upload.reveal(), &options), Ok(upload.clone()));
        assert_eq!(upload.render()["file"], "file");
        assert_eq!(upload.render().get("path"), None);
        let image = Upload::new("x", Some("image/png"), 5, "x".into());
        assert!(Upload::parse(&image.render(), &options).is_ok());
        let text = Upload::new("x.txt", None, 5, "x".into());
        let error = Upload::parse(&text.render(), &options).unwrap_err().to_string();
        assert_eq!(error, "Choose a file of an accepted type (.CSV, image/*), not \"x.txt\"");
        let small = UploadOptions { max_size: Some(4), ..UploadOptions::default() };
        let error = Upload::parse(&upload.render(), &small).unwrap_err().to_string();
        assert_eq!(error, "The file must be 4 bytes or smaller");
    }
}
