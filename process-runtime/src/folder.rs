//! Files in the data folder: written whole or not at all, and there after a power cut.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

/// Creates the folder and a file in it that only this user can read. It is written to another file and renamed, so that it
/// is never there in part.
pub(crate) fn write_whole(folder: &Path, name: &str, content: &[u8]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let new = folder.join(format!("{name}.new"));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut open = options.open(&new)?;
    open.write_all(content)?;
    open.sync_all()?;
    fs::rename(new, folder.join(name))?;
    sync(folder)
}

/// A new name in a folder survives a power cut only when the folder is written too.
pub(crate) fn sync(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}
