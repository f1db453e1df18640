//! Conditional requests and ranges (RFC 9110, sections 13 and 14): decides which part of a download a request gets.

use std::ops::Range;
use std::time::SystemTime;

use axum::http::header::RANGE;
use axum::http::{HeaderMap, Method};
use headers::{
    AcceptRanges, ETag, HeaderMapExt as _, IfMatch, IfModifiedSince, IfNoneMatch, IfRange, IfUnmodifiedSince,
    LastModified,
};
use http_range_header::{RangeUnsatisfiableError, parse_range_header};
use jiff::Timestamp;

/// The validators of a download: its ETag and its time of modification.
#[derive(Debug)]
pub(in crate::web) struct Validators {
    tag: Option<ETag>,
    modified: Option<SystemTime>,
}

/// The part of a download that a request gets.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::web) enum Selection {
    Whole,
    Part(Range<u64>),
    /// The client's copy is current: 304.
    NotModified,
    /// The bytes are not those that the client requires: 412.
    PreconditionFailed,
    /// The range begins after the last byte: 416.
    Unsatisfiable,
}

impl Validators {
    pub(in crate::web) fn new(tag: &str, modified: Option<Timestamp>) -> Self {
        // HTTP dates have whole seconds, from 1970 on. A fraction would make the bytes newer than the date that was sent.
        let modified = modified.map(|at| at.as_second()).filter(|second| *second >= 0);
        let modified = modified.and_then(|second| Timestamp::from_second(second).ok());
        Self { tag: format!("\"{tag}\"").parse().ok(), modified: modified.map(SystemTime::from) }
    }

    /// Adds the validators to a response.
    pub(in crate::web) fn write(&self, headers: &mut HeaderMap) {
        headers.typed_insert(AcceptRanges::bytes());
        if let Some(tag) = &self.tag {
            headers.typed_insert(tag.clone());
        }
        if let Some(modified) = self.modified {
            headers.typed_insert(LastModified::from(modified));
        }
    }

    /// Decides what a request with these headers gets of `length` bytes.
    pub(in crate::web) fn select(&self, method: &Method, headers: &HeaderMap, length: u64) -> Selection {
        if !self.matches(headers) {
            Selection::PreconditionFailed
        } else if !self.is_new(headers) {
            Selection::NotModified
        } else if *method == Method::GET && self.continues(headers) {
            range(headers, length)
        } else {
            Selection::Whole
        }
    }

    /// False if `If-Match` or `If-Unmodified-Since` fails.
    fn matches(&self, headers: &HeaderMap) -> bool {
        if let Some(wanted) = headers.typed_get::<IfMatch>() {
            return self.tag.as_ref().is_some_and(|tag| wanted.precondition_passes(tag));
        }
        let since = headers.typed_get::<IfUnmodifiedSince>();
        since.zip(self.modified).is_none_or(|(since, modified)| since.precondition_passes(modified))
    }

    /// False if `If-None-Match` or `If-Modified-Since` finds the client's copy current.
    fn is_new(&self, headers: &HeaderMap) -> bool {
        if let Some(known) = headers.typed_get::<IfNoneMatch>() {
            return self.tag.as_ref().is_none_or(|tag| known.precondition_passes(tag));
        }
        let since = headers.typed_get::<IfModifiedSince>();
        since.zip(self.modified).is_none_or(|(since, modified)| since.is_modified(modified))
    }

    /// False if `If-Range` names other bytes.
    fn continues(&self, headers: &HeaderMap) -> bool {
        let modified = self.modified.map(LastModified::from);
        match headers.typed_try_get::<IfRange>() {
            Ok(known) => known.is_none_or(|known| !known.is_modified(self.tag.as_ref(), modified.as_ref())),
            Err(_) => false,
        }
    }
}

/// Resolves a range. An invalid range is ignored, and several ranges get the whole: RFC 9110 allows both.
fn range(headers: &HeaderMap, length: u64) -> Selection {
    let Some(Ok(text)) = headers.get(RANGE).map(|range| range.to_str()) else { return Selection::Whole };
    match parse_range_header(text).and_then(|ranges| ranges.validate(length)) {
        Ok(ranges) => match &ranges[..] {
            [one] => Selection::Part(*one.start()..one.end().saturating_add(1)),
            _ => Selection::Whole,
        },
        Err(RangeUnsatisfiableError::Unsatisfiable) => Selection::Unsatisfiable,
        Err(_) => Selection::Whole,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::header::{
        HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE,
    };

    use super::Selection::{NotModified, Part, PreconditionFailed, Unsatisfiable, Whole};
    use super::*;

    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const THEN: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const AFTER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

    fn select(length: u64, headers: &[(HeaderName, &str)]) -> Selection {
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.parse().unwrap()));
        let modified = Timestamp::new(784_111_777, 900_000_000).unwrap();
        Validators::new("a", Some(modified)).select(&Method::GET, &HeaderMap::from_iter(headers), length)
    }

    #[test]
    fn range_selects_its_bytes() {
        for (asked, length, selected) in [
            ("bytes=0-0", 10, Part(0..1)),
            ("bytes=3-", 10, Part(3..10)),
            ("bytes=3-99", 10, Part(3..10)),
            ("bytes=-3", 10, Part(7..10)),
            ("bytes=-99", 10, Part(0..10)),
            ("bytes=9-9", 10, Part(9..10)),
            ("bytes=0-18446744073709551615", 10, Part(0..10)),
            ("bytes=0-99999999999999999999999", 10, Part(0..10)),
            ("bytes=0-,99-", 10, Part(0..10)),
            ("bytes=10-", 10, Unsatisfiable),
            ("bytes=-0", 10, Unsatisfiable),
            ("bytes=0-0", 0, Unsatisfiable),
            ("bytes=-1", 0, Whole),
            ("bytes=0-1,4-5", 10, Whole),
            ("bytes=5-4", 10, Whole),
            ("bytes=", 10, Whole),
            ("bytes=a-b", 10, Whole),
            ("bytes=+1-2", 10, Whole),
            ("lines=0-1", 10, Whole),
            ("0-1", 10, Whole),
        ] {
            assert_eq!(select(length, &[(RANGE, asked)]), selected, "{asked} of {length}");
        }
        let many = format!("bytes={}", "0-,".repeat(2_000));
        assert_eq!(select(10, &[(RANGE, &many)]), Whole);
        assert_eq!(select(10, &[]), Whole);
    }

    #[test]
    fn only_get_has_ranges() {
        let headers = HeaderMap::from_iter([(RANGE, "bytes=0-0".parse().unwrap())]);
        assert_eq!(Validators::new("a", None).select(&Method::HEAD, &headers, 10), Whole);
    }

    #[test]
    fn known_bytes_are_not_modified() {
        for known in ["\"a\"", "W/\"a\"", "\"b\", \"a\"", "*"] {
            assert_eq!(select(10, &[(IF_NONE_MATCH, known)]), NotModified, "{known}");
        }
        for unknown in ["\"b\"", "a", "", "\"a", "\"A\""] {
            assert_eq!(select(10, &[(IF_NONE_MATCH, unknown)]), Whole, "{unknown}");
        }
        for (since, selected) in [(BEFORE, Whole), (THEN, NotModified), (AFTER, NotModified), ("x", Whole)] {
            assert_eq!(select(10, &[(IF_MODIFIED_SINCE, since)]), selected, "{since}");
        }
        // The ETag takes precedence over the date.
        assert_eq!(select(10, &[(IF_NONE_MATCH, "\"b\""), (IF_MODIFIED_SINCE, AFTER)]), Whole);
        assert_eq!(select(10, &[(IF_NONE_MATCH, "\"a\""), (RANGE, "bytes=0-0")]), NotModified);
    }

    #[test]
    fn other_bytes_fail_preconditions() {
        for (name, value, selected) in [
            (IF_MATCH, "\"a\"", Whole),
            (IF_MATCH, "*", Whole),
            (IF_MATCH, "\"b\"", PreconditionFailed),
            (IF_MATCH, "W/\"a\"", PreconditionFailed),
            (IF_UNMODIFIED_SINCE, BEFORE, PreconditionFailed),
            (IF_UNMODIFIED_SINCE, THEN, Whole),
            (IF_UNMODIFIED_SINCE, "x", Whole),
        ] {
            assert_eq!(select(10, &[(name, value)]), selected, "{value}");
        }
    }

    #[test]
    fn if_range_continues_same_bytes() {
        for (known, selected) in [
            ("\"a\"", Part(5..10)),
            (THEN, Part(5..10)),
            ("W/\"a\"", Whole),
            ("\"b\"", Whole),
            (BEFORE, Whole),
            ("x", Whole),
        ] {
            assert_eq!(select(10, &[(IF_RANGE, known), (RANGE, "bytes=5-")]), selected, "{known}");
        }
        // `If-Range` with another ETag ignores the range, even an unsatisfiable one.
        assert_eq!(select(10, &[(IF_RANGE, "\"b\""), (RANGE, "bytes=99-")]), Whole);
    }

    #[test]
    fn odd_validators_are_left_out() {
        for (modified, written) in [(Timestamp::MIN, 1), (Timestamp::UNIX_EPOCH, 2), (Timestamp::MAX, 2)] {
            let validators = Validators::new("a\"b\n", Some(modified));
            let mut headers = HeaderMap::new();
            validators.write(&mut headers);
            assert_eq!(headers.len(), written, "{headers:?}");
        }
    }
}
