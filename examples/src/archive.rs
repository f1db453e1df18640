//! The backup's format: a tar archive compressed with gzip, and its verification.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;

use crate::error::Error;

/// What was read from a file, so that its copy in the archive can be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The path in the archive.
    pub(crate) path: PathBuf,
    /// The length of its content.
    pub(crate) bytes: u64,
    /// The CRC-32 of its content.
    pub(crate) checksum: u32,
}

/// An archive that is being written to `W`.
pub(crate) struct ArchiveWriter<W: Write> {
    tar: tar::Builder<GzEncoder<W>>,
    entries: Vec<Entry>,
}

impl<W: Write> ArchiveWriter<W> {
    /// Begins an archive.
    pub(crate) fn new(output: W) -> Self {
        let tar = tar::Builder::new(GzEncoder::new(output, Compression::default()));
        Self { tar, entries: Vec::new() }
    }

    /// Adds the file at `file` under the path `path`, and returns its length.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or becomes shorter in the meantime, or the output refuses.
    pub(crate) fn add(&mut self, path: &Path, file: &Path) -> Result<u64, Error> {
        self.append(path, file).map_err(Error::file("archive", file))
    }

    fn append(&mut self, path: &Path, file: &Path) -> io::Result<u64> {
        let file = File::open(file)?;
        let metadata = file.metadata()?;
        let mut header = tar::Header::new_gnu();
        header.set_metadata(&metadata);
        // The header contains the length. A file that grows in the meantime is truncated to it.
        let mut content = Summed::new(file.take(metadata.len()));
        self.tar.append_data(&mut header, path, &mut content)?;
        let entry = content.entry(path.to_owned());
        if entry.bytes < metadata.len() {
            return Err(io::Error::other("the file became shorter while it was read"));
        }
        self.entries.push(entry);
        Ok(metadata.len())
    }

    /// Ends the archive. Returns the output and what the archive must hold now.
    ///
    /// # Errors
    ///
    /// When the output refuses.
    pub(crate) fn finish(self) -> io::Result<(W, Vec<Entry>)> {
        Ok((self.tar.into_inner()?.finish()?, self.entries))
    }
}

/// Reads a whole archive and compares it with what was put in. Calls `verified` after each file with
/// the number of files so far.
///
/// # Errors
///
/// When the archive cannot be read, or holds anything else than these entries in this order.
pub(crate) fn verify(
    archive: impl Read,
    expected: &[Entry],
    mut verified: impl FnMut(usize),
) -> Result<(), Error> {
    let damaged = |error: io::Error| Error::Damaged(error.to_string());
    let mut tar = tar::Archive::new(GzDecoder::new(archive));
    let mut count = 0;
    for file in tar.entries().map_err(damaged)? {
        let file = file.map_err(damaged)?;
        let path = file.path().map_err(damaged)?.into_owned();
        let mut content = Summed::new(file);
        io::copy(&mut content, &mut io::sink()).map_err(damaged)?;
        if expected.get(count) != Some(&content.entry(path.clone())) {
            return Err(Error::Damaged(format!("{} differs from the original", path.display())));
        }
        count += 1;
        verified(count);
    }
    if count != expected.len() {
        return Err(Error::Damaged(format!("it holds {count} files instead of {}", expected.len())));
    }
    Ok(())
}

/// A reader that counts and sums up what passes through.
struct Summed<R> {
    reader: R,
    bytes: u64,
    hasher: crc32fast::Hasher,
}

impl<R> Summed<R> {
    fn new(reader: R) -> Self {
        Self { reader, bytes: 0, hasher: crc32fast::Hasher::new() }
    }

    fn entry(self, path: PathBuf) -> Entry {
        Entry { path, bytes: self.bytes, checksum: self.hasher.finalize() }
    }
}

impl<R: Read> Read for Summed<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        self.hasher.update(&buffer[..length]);
        self.bytes += length as u64;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(folder: &Path) -> (Vec<u8>, Vec<Entry>) {
        let mut archive = ArchiveWriter::new(Vec::new());
        // Longer than the 100 bytes that the first tar had for a path.
        let long = format!("site/{}/ü.bin", "long/".repeat(30));
        for (path, content) in
            [("site/a.txt", vec![b'a'; 100_000]), ("site/empty", vec![]), (&long, vec![7; 3])]
        {
            let file = folder.join("file");
            std::fs::write(&file, &content).unwrap();
            assert_eq!(archive.add(Path::new(path), &file).unwrap(), content.len() as u64);
        }
        archive.finish().unwrap()
    }

    #[test]
    fn archive_verifies_each_file() {
        let folder = tempfile::tempdir().unwrap();
        let (bytes, entries) = sample(folder.path());
        let mut seen = Vec::new();
        verify(&bytes[..], &entries, |count| seen.push(count)).unwrap();
        assert_eq!(seen, [1, 2, 3]);
        assert_eq!(entries[2].path.components().count(), 32);
    }

    #[test]
    fn damaged_archive_fails_verification() {
        let folder = tempfile::tempdir().unwrap();
        let (bytes, entries) = sample(folder.path());
        let fails = |bytes: &[u8], entries: &[Entry]| verify(bytes, entries, |_| ()).unwrap_err().to_string();

        assert_eq!(
            fails(&bytes, &entries[..2]),
            format!("the backup is damaged: {} differs from the original", entries[2].path.display())
        );
        let more = [&entries[..], &entries[..1]].concat();
        assert_eq!(fails(&bytes, &more), "the backup is damaged: it holds 3 files instead of 4");
        let mut other = entries.clone();
        other[0].checksum ^= 1;
        assert_eq!(fails(&bytes, &other), "the backup is damaged: site/a.txt differs from the original");
        assert!(fails(&bytes[..bytes.len() / 2], &entries).starts_with("the backup is damaged: "));
        assert!(fails(b"no gzip", &entries).starts_with("the backup is damaged: "));
    }
}
