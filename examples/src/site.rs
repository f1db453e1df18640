//! The folder that is backed up: its files, and the lock for one backup at a time.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::error::Error;

/// A folder of files, such as a web site's.
#[derive(Debug, Clone)]
pub struct Site {
    folder: PathBuf,
    turn: Arc<Mutex<()>>,
}

impl Site {
    /// The site in this folder.
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), turn: Arc::default() }
    }

    /// The folder of its files.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The path of every regular file below the folder, sorted. Symbolic links are not followed.
    ///
    /// # Errors
    ///
    /// When a folder cannot be read.
    pub fn files(&self) -> Result<Vec<PathBuf>, Error> {
        let mut files = Vec::new();
        let mut folders = vec![self.folder.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).map_err(Error::file("read the folder", &folder))? {
                let entry = entry.map_err(Error::file("read the folder", &folder))?;
                let kind = entry.file_type().map_err(Error::file("read", &entry.path()))?;
                if kind.is_dir() {
                    folders.push(entry.path());
                } else if kind.is_file() {
                    files.push(entry.path());
                } else {
                    // In a run, this event goes to its log, although this code does not know about runs.
                    tracing::warn!(path = %entry.path().display(), "skipped: neither a file nor a folder");
                }
            }
        }
        files.sort();
        Ok(files)
    }

    /// A new file beside the folder, to write a backup to. Waits until no other backup is being written.
    ///
    /// # Errors
    ///
    /// When the file cannot be created.
    pub(crate) async fn new_backup(&self) -> Result<UnfinishedFile, Error> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        // One name for all backups, so that the next one overwrites the remains of a power failure.
        let path = self.folder.with_extension("backup.partial");
        let mut options = File::options();
        options.read(true).write(true).create(true).truncate(true);
        let file = options.open(&path).map_err(Error::file("create", &path))?;
        Ok(UnfinishedFile { file, path, _turn: turn })
    }
}

/// A file that is removed when it is dropped, unless it has been moved away by then.
///
/// Cancelling a run drops all its values, at any await or helper, so no incomplete backup stays.
#[derive(Debug)]
pub(crate) struct UnfinishedFile {
    file: File,
    path: PathBuf,
    // Released after the file is removed: fields are dropped after `drop` has run.
    _turn: OwnedMutexGuard<()>,
}

impl UnfinishedFile {
    /// The current path of the file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Waits until the content is on disk, and returns its length.
    ///
    /// # Errors
    ///
    /// When the disk reports an error.
    pub(crate) fn sync(&self) -> io::Result<u64> {
        self.file.sync_all()?;
        Ok(self.file.metadata()?.len())
    }

    /// Opens another reader, at the beginning of the file.
    ///
    /// # Errors
    ///
    /// When the file cannot be opened once more.
    pub(crate) fn reopen(&self) -> io::Result<File> {
        File::open(&self.path)
    }
}

impl Write for UnfinishedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for UnfinishedFile {
    fn drop(&mut self) {
        // A completed backup was moved away. Other errors cannot be reported here.
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn files_listed_sorted_without_links() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("site");
        fs::create_dir_all(root.join("b/c")).unwrap();
        for name in ["b/c/2.txt", "a.txt", "b/1.txt"] {
            fs::write(root.join(name), name).unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink("/", root.join("everything")).unwrap();
        let files = Site::new(&root).files().unwrap();
        assert_eq!(files, ["a.txt", "b/1.txt", "b/c/2.txt"].map(|name| root.join(name)));
    }

    #[tokio::test]
    async fn unfinished_file_is_removed_first() {
        let folder = tempfile::tempdir().unwrap();
        let site = Site::new(&folder.path().join("site"));
        let mut first = site.new_backup().await.unwrap();
        first.write_all(b"half a back").unwrap();
        let path = first.path().to_owned();
        let second = tokio::spawn({
            let site = site.clone();
            async move { site.new_backup().await.map(|file| file.sync().unwrap()) }
        });
        tokio::task::yield_now().await;
        assert!(path.exists() && !second.is_finished());
        drop(first);
        assert_eq!(second.await.unwrap().unwrap(), 0);
        assert!(!path.exists());
    }
}
