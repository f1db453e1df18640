//! Owns how names become parts of an address.
//! Refuses to know which addresses there are.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but the characters that need no escape in a path's segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One segment of a path, escaped.
pub(super) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// A process's route, escaped; the slash of its group stays.
pub(super) fn route(route: &str) -> String {
    route.split('/').map(segment).collect::<Vec<_>>().join("/")
}
