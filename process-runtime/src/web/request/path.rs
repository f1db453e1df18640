//! Names as path segments, and the canonical spelling of each path.

use axum::extract::OriginalUri;
use axum::http::request::Parts;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// The characters that need no escape in a path segment.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// One segment of a path, escaped.
pub(in crate::web) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// The route of a process, escaped; the slash of its group stays.
pub(in crate::web) fn route(route: &str) -> String {
    route.split('/').map(segment).collect::<Vec<_>>().join("/")
}

/// The path as the client sent it, before nesting changed it.
pub(in crate::web) fn asked(parts: &Parts) -> &str {
    parts.extensions.get::<OriginalUri>().map_or(parts.uri.path(), |uri| uri.path())
}

/// Returns false for a path that a proxy or layer may interpret differently: with dot or empty segments, with an
/// encoded slash, backslash or control character, or with an unnecessary escape.
///
/// A layer that guards `/admin/` looks at the path as it was sent, while axum decodes what it routes. Both must see the
/// same path.
pub(in crate::web) fn is_canonical(path: &str) -> bool {
    let mut segments = path.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        let is_last = segments.peek().is_none();
        if matches!(segment, "." | "..") || (segment.is_empty() && !is_last) || !is_spelled_once(segment) {
            return false;
        }
    }
    true
}

fn is_spelled_once(segment: &str) -> bool {
    let mut codes = segment.split('%').skip(1);
    let is_needed = |code: &str| {
        let byte = code.get(..2).filter(|code| code.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let byte = byte.and_then(|code| u8::from_str_radix(code, 16).ok());
        let is_needless = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
        byte.is_some_and(|byte| !(is_needless(byte) || byte.is_ascii_control() || b"/\\".contains(&byte)))
    };
    !segment.contains('\\') && codes.all(is_needed) && percent_decode_str(segment).decode_utf8().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_path_has_one_spelling() {
        for path in
            ["", "/", "/a/b", "/a/", "/%C3%BCber/start", "/runs/1/files/a%20b%25.txt", "/a(1)", "/.a/..b"]
        {
            assert!(is_canonical(path), "{path}");
        }
        for path in [
            "//a",
            "/a//b",
            "/./a",
            "/a/../b",
            "/a%2fb",
            "/a%2Fb",
            "/a%5cb",
            "/a\\b",
            "/%61",
            "/%2e%2e/a",
            "/%2E",
            "/a%00",
            "/a%0a",
            "/a%7F",
            "/a%",
            "/a%4",
            "/a%zz",
            "/a%+9",
            "/a%ff",
            "/%7e",
            "/%c0%af",
        ] {
            assert!(!is_canonical(path), "{path}");
        }
    }

    #[test]
    fn written_path_is_canonical() {
        for name in ["report.pdf", "a b%/\\é.txt", "100%", "ü/admin"] {
            assert_eq!(is_canonical(&format!("/{}", segment(name))), !name.contains(['/', '\\']), "{name}");
        }
    }
}
