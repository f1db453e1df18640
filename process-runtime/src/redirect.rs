//! Whether an address from a request is safe as a redirect target (open redirects).

use percent_encoding::percent_decode_str;

use crate::text::is_control_or_bidi;

/// The maximum length of an address, in bytes. Many proxies refuse a longer line in the head of a response.
const MAX_BYTES: usize = 4 << 10;

/// Returns `next` if redirecting a browser to it keeps the browser on the same site, and `None` otherwise.
///
/// Use this function for every address that comes with a request, such as the `?next=` that
/// [`Denied::sign_in`](crate::Denied::sign_in) adds: anyone can send your visitors a link to your sign-in page that
/// contains an address of their own. A simpler check is easy to get wrong, because browsers treat `\` as `/` and
/// first remove tabs and line breaks: each of `//evil.example`, `/\evil.example` and `/<tab>/evil.example` leads to
/// another site.
///
/// The function accepts an absolute path of at most 4 KiB, with an optional query and fragment, in the characters
/// that a URL may contain. It rejects everything else: schemes, hosts and relative paths; empty segments (`//`) and
/// dot segments; backslashes, non-ASCII characters and control characters, both literal and percent-encoded; an
/// encoded slash in the path; and text that is encoded twice or cannot be decoded.
///
/// ```
/// use process_runtime::local_redirect;
///
/// // `next` as it was read from the query: decoded once.
/// let target = |next: &'static str| local_redirect(next).unwrap_or("/jobs");
/// assert_eq!(target("/jobs/count/show_progress?total=5"), "/jobs/count/show_progress?total=5");
/// assert_eq!(target("https://evil.example"), "/jobs");
/// assert_eq!(target("//evil.example"), "/jobs");
/// assert_eq!(target("/\\evil.example"), "/jobs");
/// assert_eq!(target("/\t/evil.example"), "/jobs");
/// assert_eq!(target("/%09/evil.example"), "/jobs");
/// ```
pub fn local_redirect(next: &str) -> Option<&str> {
    let path = next.split(['?', '#']).next().unwrap_or_default();
    let mut segments = path.strip_prefix('/')?.split('/');
    let is_local = next.len() <= MAX_BYTES
        && is_plain(next)
        && !path.contains("//")
        && segments.all(|segment| {
            let name = percent_decode_str(segment).decode_utf8();
            name.is_ok_and(|name| !matches!(&*name, "." | "..") && !name.contains('/'))
        });
    is_local.then_some(next)
}

/// True if the text has only characters that a URL may contain, and no control or bidirectional characters, even
/// encoded.
fn is_plain(next: &str) -> bool {
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%#".contains(&byte);
    let Ok(decoded) = percent_decode_str(next).decode_utf8() else { return false };
    next.bytes().all(is_known)
        && next.matches('#').count() <= 1
        && escapes(next).all(|is_whole| is_whole)
        && !escapes(&decoded).any(|is_whole| is_whole)
        && !decoded.contains(|c| c == '\\' || is_control_or_bidi(c))
}

/// For each `%`, whether two hexadecimal digits follow.
fn escapes(text: &str) -> impl Iterator<Item = bool> {
    let is_hex = |code: &[u8]| code.len() == 2 && code.iter().all(u8::is_ascii_hexdigit);
    let codes = text.match_indices('%').map(|(at, _)| text.as_bytes().get(at + 1..at + 3));
    codes.map(move |code| code.is_some_and(is_hex))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_site_redirects_are_accepted() {
        for next in [
            "/",
            "/jobs",
            "/jobs/",
            "/jobs/count/show_progress?total=5&name=a%20b&to=https://example.org/a/..//b",
            "/%C3%BCber/runs?process=admin/backup-system&from=2026-11-21T09:30:00Z#log",
            "/a@b:c;d,e",
            "/100%25",
        ] {
            assert_eq!(local_redirect(next), Some(next));
        }
    }

    #[test]
    fn off_site_redirects_are_refused() {
        let long = format!("/{}", "x".repeat(MAX_BYTES));
        for next in [
            "",
            "jobs",
            "?a",
            "#a",
            "https://evil.example",
            "javascript:alert(1)",
            "evil.example",
            "user@evil.example",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/%5Cevil.example",
            "/%5c%5cevil.example",
            "/%2Fevil.example",
            "/%2f/evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "/\r\n/evil.example",
            "\t//evil.example",
            " //evil.example",
            "/ /evil.example",
            "/%09/evil.example",
            "/%0d%0a/evil.example",
            "/%00/evil.example",
            "/%7F",
            "/%C2%85/evil.example",
            "/a%0d%0aset-cookie:%20a=b",
            "/a?b=%0d%0a",
            "/a#b#c",
            "/.//evil.example",
            "/..//evil.example",
            "/a/../b",
            "/a/%2e%2E/b",
            "/.%2e/b",
            "/%252F/evil.example",
            "/%2509/evil.example",
            "/%25%32%66evil.example",
            "/%",
            "/%4",
            "/%zz",
            "/%+9",
            "/%ff",
            "/%c0%af/evil.example",
            "/／evil.example",
            "/\u{2028}/evil.example",
            "/%E2%80%AE/evil.example",
            "/é",
            "/<script>",
            "/\"onload=",
            &long,
        ] {
            assert_eq!(local_redirect(next), None, "{next:?}");
        }
    }
}
