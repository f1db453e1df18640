//! The process that archives the site in three stages and offers the archive for download.

use process_runtime::prelude::*;
use process_runtime::spawn_blocking;
use serde::Serialize;

use crate::archive::{ArchiveWriter, verify};
use crate::error::Error;
use crate::pace::Pace;
use crate::site::Site;

/// What was backed up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Backup {
    /// The name of the file to download.
    pub file: String,
    /// The number of files in it.
    pub files: usize,
    /// Their total size.
    pub bytes: u64,
    /// The size of the archive.
    pub compressed_bytes: u64,
}

/// Archives every file of the site, checks the archive, and offers it for download. Every night at three, UTC, too.
///
/// Who asks for a backup while one is being made sees that one. A file that goes away meanwhile makes a backup
/// fail; it is tried again a little later.
#[process(title = "Back up the system", group = "admin", exclusive, retries = 2, schedule = "0 3 * * *")]
pub async fn backup_system(site: State<Site>, pace: State<Pace>) -> Result<Backup, Error> {
    stage_of(1, 3, "Listing files");
    let clock = pace.share(0.1).start();
    let root = site.folder();
    let files = site.files()?;
    let mut bytes = 0;
    for (index, file) in files.iter().enumerate() {
        bytes += file.metadata().map_err(Error::file("read", file))?.len();
        set_progress_of(index + 1, files.len());
        clock.wait(index + 1, files.len()).await;
    }
    log(format!("{} files, {bytes} bytes", files.len()));

    // From here on, a cancelled or failed run drops the unfinished file, which removes it.
    stage_of(2, 3, "Archiving");
    set_progress_text("Waiting for another backup to end");
    let mut archive = ArchiveWriter::new(site.new_backup().await?);
    let clock = pace.share(0.7).start();
    let mut archived = 0;
    for (index, file) in files.iter().enumerate() {
        let name = file.strip_prefix(root).unwrap_or(file);
        set_progress_text(format!("Archiving {}", name.display()));
        archived += archive.add(name, file)?;
        set_progress_of(archived, bytes);
        clock.wait(index + 1, files.len()).await;
    }
    let (unfinished, entries) = archive.finish().map_err(Error::file("finish", root))?;
    let compressed_bytes = unfinished.sync().map_err(Error::file("write", unfinished.path()))?;
    log(format!("{archived} bytes became {compressed_bytes}"));

    stage_of(3, 3, "Verifying");
    set_progress_text("Comparing the archive with the originals");
    let clock = pace.share(0.2).start();
    let reader = unfinished.reopen().map_err(Error::file("read", unfinished.path()))?;
    // Reading a tar archive cannot be interrupted by an await, so it gets a thread of its own. The
    // runtime's `spawn_blocking` takes the run along: the helpers work there too.
    let verification = spawn_blocking(move || {
        verify(reader, &entries, |verified| {
            set_progress_of(verified, entries.len());
            clock.wait_blocking(verified, entries.len());
        })
    });
    verification.await.map_err(|_| Error::Unfinished)??;
    log(format!("all {} files verified", files.len()));

    let today = jiff::Timestamp::now().strftime("%Y-%m-%d");
    let file = format!("backup-{today}.tar.gz");
    artifact(&file, unfinished.path()).map_err(Error::file("offer", unfinished.path()))?;
    Ok(Backup { file, files: files.len(), bytes: archived, compressed_bytes })
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::Data;

    /// Runs the process as a run whose files go to `kept`, and cancels it after `limit` seconds.
    fn run(site: Site, pace: Pace, kept: &Path, limit: u64) -> Option<Result<Backup, Error>> {
        let progress = Progress::detached_in(kept);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        progress.enter(|| {
            runtime.block_on(async {
                let run = backup_system(State::new(site), State::new(pace));
                tokio::time::timeout(Duration::from_secs(limit), run).await.ok()
            })
        })
    }

    #[test]
    fn backup_restores_every_byte() {
        let folder = tempfile::tempdir().unwrap();
        let site = Data::open(folder.path()).unwrap().site;
        let kept = folder.path().join("kept");
        let backup = run(site.clone(), Pace::NONE, &kept, 60).unwrap().unwrap();

        let archive = kept.read_dir().unwrap().next().unwrap().unwrap().path();
        let restored = folder.path().join("restored");
        let archive = std::fs::File::open(archive).unwrap();
        assert_eq!(archive.metadata().unwrap().len(), backup.compressed_bytes);
        tar::Archive::new(flate2::read::GzDecoder::new(archive)).unpack(&restored).unwrap();
        let files = site.files().unwrap();
        assert_eq!(Site::new(&restored).files().unwrap().len(), files.len());
        let mut bytes = 0;
        for file in &files {
            let original = std::fs::read(file).unwrap();
            let copy = restored.join(file.strip_prefix(site.folder()).unwrap());
            assert!(original == std::fs::read(&copy).unwrap(), "{}", copy.display());
            bytes += original.len() as u64;
        }
        assert_eq!((backup.files, backup.bytes), (files.len(), bytes));
        assert!(backup.compressed_bytes < bytes);
        assert!(backup.file.starts_with("backup-20") && backup.file.ends_with(".tar.gz"), "{}", backup.file);
        assert!(!folder.path().join("site.backup.partial").exists());
    }

    #[test]
    fn cancelled_backup_leaves_no_files() {
        let folder = tempfile::tempdir().unwrap();
        let site = Data::open(folder.path()).unwrap().site;
        let before = folder.path().read_dir().unwrap().count();
        let kept = folder.path().join("kept");
        assert!(run(site, Pace::parse("5").unwrap(), &kept, 1).is_none());
        assert!(!kept.exists());
        assert_eq!(folder.path().read_dir().unwrap().count(), before);
    }
}
