//! How a finished file becomes a run's: moved into the run's folder under a name of our own.

use std::fs;
use std::io::{Error, ErrorKind, Result};
use std::path::Path;

use uuid::Uuid;

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
        return Err(Error::new(ErrorKind::Unsupported, "this run has no folder for files"));
    };
    fs::create_dir_all(folder)?;
    // No part of what the process or its input said reaches the file system.
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
