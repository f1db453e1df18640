//! A file system of limited size, which can be filled and freed.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tempfile::TempDir;

/// Its size in MiB: three times the logs that the siege keeps.
const SIZE: u64 = 1_024;

/// Where the data folder is: in a tmpfs, where that can be mounted.
pub(super) struct Ground {
    folder: TempDir,
    is_mounted: bool,
}

impl Ground {
    pub(super) fn mount() -> Self {
        let folder = TempDir::new().unwrap();
        let options = format!("size={SIZE}m");
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "process-siege"])
            .arg(folder.path())
            .output();
        let is_mounted = mount.is_ok_and(|mount| mount.status.success());
        Self { folder, is_mounted }
    }

    /// False without permission to mount: then it is the machine's own disk, which must not be filled.
    pub(super) fn can_be_filled(&self) -> bool {
        self.is_mounted
    }

    pub(super) fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Fills the disk, including space that becomes free, until it is told to stop; then frees it. Blocks.
    pub(super) fn fill_until(&self, over: &AtomicBool) {
        assert!(self.is_mounted, "this is somebody else's disk");
        let ballast = self.folder.path().join("ballast");
        let mut file = OpenOptions::new().create(true).append(true).open(&ballast).unwrap();
        while !over.load(Ordering::Relaxed) {
            pour(&mut file);
            std::thread::sleep(Duration::from_millis(20));
        }
        drop(file);
        fs::remove_file(ballast).unwrap();
    }
}

/// Writes until nothing fits: large pieces first, then smaller ones.
fn pour(file: &mut File) {
    for size in [1 << 20, 4 << 10] {
        let piece = vec![0; size];
        while file.write_all(&piece).is_ok() {}
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        if self.is_mounted {
            // Works even with open files: the tmpfs is removed with the last of them.
            let _ = Command::new("umount").arg("-l").arg(self.folder.path()).status();
        }
    }
}

/// The sizes of the store's file and of its write-ahead log, in bytes.
pub(super) fn sizes(data: &Path) -> (u64, u64) {
    let size = |name: &str| fs::metadata(data.join(name)).map_or(0, |file| file.len());
    (size("runs.sqlite3"), size("runs.sqlite3-wal"))
}
