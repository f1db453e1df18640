//! Media types: of a file by its name.

/// The type of bytes of which nothing is known.
pub(crate) const UNKNOWN: &str = "application/octet-stream";

/// The type of a file, by the ending of its name.
pub(crate) fn of_name(name: &str) -> &'static str {
    mime_guess::from_path(name).first_raw().unwrap_or(UNKNOWN)
}
