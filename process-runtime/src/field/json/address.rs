//! The spellings of e-mail addresses and URLs in JSON: those that the standards of JSON Schema's formats and the server read
//! alike.

use std::sync::LazyLock;

use regex_lite::Regex;

/// Letters beyond ASCII that e-mail addresses have: Latin, Greek, Cyrillic, Hebrew, Arabic, Japanese, Chinese, Korean.
const LETTERS: &str = "À-ÖØ-öø-ɏΑ-ΡΣ-ωА-яЁёא-תء-غف-يぁ-ゖァ-ヺ一-鿋가-힣";
/// An address without quotes and comments, at a host with a dot.
pub(crate) static EMAIL: LazyLock<String> = LazyLock::new(|| {
    let atom = format!("[A-Za-z0-9!#$%&'*+/=?^_`{{|}}~{LETTERS}-]+");
    let letter = format!("[A-Za-z0-9{LETTERS}]");
    let label = format!("{letter}(?:[A-Za-z0-9{LETTERS}-]{{0,61}}{letter})?");
    format!("^{atom}(?:\\.{atom})*@{label}(?:\\.{label})+$")
});
/// The most characters of an address (RFC 5321).
pub(crate) const MAX_EMAIL: usize = 254;
/// The part before the `@` has at most 64 characters.
pub(crate) const LONG_LOCAL_PART: &str = "^[^@]{65}";

/// An absolute URL in ASCII, with a host of letters, or an IPv4 or IPv6 address, and a port that exists.
///
/// Browsers read `http:a`, `file://user@host` and the like in their own way (WHATWG), RFC 3986 in another. So the schemes that
/// begin with `h`, `w` or `f` have `//` and are in lower case here.
pub(crate) static URL: LazyLock<String> = LazyLock::new(|| {
    let character = "(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})";
    let user = "(?:[A-Za-z0-9._~!$&'()*+,;=:-]|%[0-9A-Fa-f]{2})*";
    let byte = "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])";
    let group = "[0-9A-Fa-f]{1,4}";
    let shortened = (1..=6).map(|after| format!("(?:{group}:){{1,{}}}(?::{group}){{1,{after}}}", 7 - after));
    let shortened = shortened.collect::<Vec<_>>().join("|");
    let v6 = format!(
        "\\[(?:(?:{group}:){{7}}{group}|(?:{group}:){{1,7}}:|{shortened}|::(?:{group}(?::{group}){{0,6}})?)\\]"
    );
    // A host whose last part begins with a digit is an IPv4 address.
    let name = "(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?\\.)*[A-Za-z](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?";
    let host = format!("(?:{name}|{byte}(?:\\.{byte}){{3}}|{v6})");
    let port = "(?::(?:[0-9]{1,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?";
    let rest = format!("(?:\\?(?:{character}|[/?])*)?(?:#(?:{character}|[/?])*)?");
    let path = format!("(?:/{character}*)*");
    let scheme = "[a-egi-vx-zA-EGI-VX-Z][A-Za-z0-9+.-]*";
    format!(
        "^(?:(?:https?|wss?|ftp|{scheme})://(?:{user}@)?{host}{port}{path}{rest}\
         |file://(?:{name})?(?:/{character}*)+{rest}|{scheme}:(?:/?{character}+(?:/{character}*)*)?{rest})$"
    )
});

pub(super) fn is_email(text: &str) -> bool {
    static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&EMAIL).ok());
    let local = text.find('@').unwrap_or_default();
    text.len() <= MAX_EMAIL && local <= 64 && is_match(&PATTERN, text)
}

pub(super) fn is_url(text: &str) -> bool {
    static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(&URL).ok());
    is_match(&PATTERN, text)
}

fn is_match(pattern: &Option<Regex>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_those_of_every_standard() {
        for text in
            ["ada@example.org", "a.b+c@a-b.co", "x@1.de", "jörg@münchen.de", "иван@почта.рф", "山田@例え.jp"]
        {
            assert!(is_email(text), "{text}");
        }
        let long = format!("{}@example.org", "a".repeat(65));
        for text in [
            "ada",
            "ada@localhost",
            ".a@b.de",
            "a..b@b.de",
            "a×b@c.de",
            "a\u{200b}@b.de",
            "a@-b.de",
            "a@b.de\n",
            "<a@b.de>",
            &long,
        ] {
            assert!(!is_email(text), "{text}");
        }
    }

    #[test]
    fn urls_are_those_of_every_standard() {
        for text in [
            "https://example.org",
            "http://user:pass@example.org:8080/a/b?c=d#e",
            "http://127.0.0.1:3000/",
            "http://[::1]/",
            "http://[2001:db8::8a2e:370:7334]",
            "mailto:ada@example.org",
            "urn:isbn:0451450523",
            "file:///etc/hosts",
            "postgres://db/main",
        ] {
            assert!(is_url(text) && url::Url::parse(text).is_ok(), "{text}");
        }
        for text in [
            "example.org",
            "/a",
            "http:a",
            "http://",
            "http://1.2.3.256/",
            "http://a b/",
            "http://a:65536/",
            "https://exämple.org",
            " https://example.org",
            "http://[::1",
            "HTTP://a",
        ] {
            assert!(!is_url(text), "{text}");
        }
    }
}
