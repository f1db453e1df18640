//! Moves a finished file into the run's folder, under a generated name, and reads it from there.

use std::fs;
use std::io::{Error, ErrorKind, Result, SeekFrom};
use std::ops::Range;
use std::path::Path;

use bytes::Bytes;
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use jiff::Timestamp;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _};
use tokio_util::io::ReaderStream;
use uuid::Uuid;

use crate::byte_source::ByteSource;
use crate::media_type;
use crate::run::RunFile;
use crate::text::{clip, file_name};

/// Moves the file at `path` into `folder`; it is shown under the last part of `name`, which is cut at `longest` bytes.
pub(crate) fn keep(name: &str, path: &Path, folder: Option<&Path>, longest: usize) -> Result<RunFile> {
    let name = file_name(name);
    let name = name.trim();
    if matches!(name, "" | "." | "..") {
        let message = "an artifact needs a file name, such as \"report.csv\"";
        return Err(Error::new(ErrorKind::InvalidInput, message));
    }
    let Some(folder) = folder else {
        return Err(Error::new(ErrorKind::Unsupported, "this run cannot store files"));
    };
    fs::create_dir_all(folder)?;
    // Names from the process or its input never reach the file system.
    let stored = Uuid::now_v7().simple().to_string();
    let kept = folder.join(&stored);
    if fs::rename(path, &kept).is_err() {
        // Another file system: copy, then remove.
        fs::copy(path, &kept)?;
        fs::remove_file(path)?;
    }
    let size = fs::metadata(&kept)?.len();
    let media_type = media_type::of_name(name).to_owned();
    Ok(RunFile { name: clip(name, longest), size, media_type, stored })
}

/// A file of a run, open to be read.
pub(crate) struct StoredFile {
    file: File,
    size: u64,
    stored: String,
}

impl StoredFile {
    pub(crate) async fn open(folder: &Path, file: &RunFile) -> Result<Self> {
        let (size, stored) = (file.size, file.stored.clone());
        Ok(Self { file: File::open(folder.join(&stored)).await?, size, stored })
    }
}

impl ByteSource for StoredFile {
    fn length(&self) -> u64 {
        self.size
    }

    /// Each file that is kept has a name of its own, also if it replaces another of the run.
    fn tag(&self) -> &str {
        &self.stored
    }

    /// When it was kept: its name tells.
    fn modified(&self) -> Option<Timestamp> {
        let (seconds, _) = Uuid::parse_str(&self.stored).ok()?.get_timestamp()?.to_unix();
        Timestamp::from_second(i64::try_from(seconds).ok()?).ok()
    }

    async fn read(mut self, range: Range<u64>) -> Result<BoxStream<'static, Result<Bytes>>> {
        if range.start > 0 {
            self.file.seek(SeekFrom::Start(range.start)).await?;
        }
        Ok(ReaderStream::new(self.file.take(range.end - range.start)).boxed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn artifact_name_keeps_last_path_segment() {
        let folder = std::env::temp_dir().join(Uuid::now_v7().to_string());
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("made");
        fs::write(&file, "content").unwrap();
        for name in ["", "..", "a/..", "..\\", " "] {
            assert_eq!(keep(name, &file, Some(&folder), 256).unwrap_err().kind(), ErrorKind::InvalidInput);
        }
        let kept = keep("../../etc/report.csv", &file, Some(&folder), 256).unwrap();
        assert_eq!((kept.name.as_str(), kept.size), ("report.csv", 7));
        assert_eq!(fs::read_to_string(folder.join(&kept.stored)).unwrap(), "content");
        assert!(!file.exists());
        fs::remove_dir_all(folder).unwrap();
    }
}
