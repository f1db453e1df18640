//! An address that is accepted for a redirect stays on the site, as a browser reads it.

use std::cell::Cell;

use process_runtime::local_redirect;
use proptest::prelude::*;
use url::Url;

use super::cases;

/// Parts of URLs that lead to other sites, combined at random.
const PIECES: &[&str] = &[
    "/",
    "//",
    "\\",
    ".",
    "..",
    "%2e",
    "%2E%2e",
    "%2f",
    "%2F",
    "%5c",
    "%5C",
    "%09",
    "%0a",
    "%0d",
    "%00",
    "%25",
    "%2509",
    "\t",
    "\n",
    "\r",
    "\0",
    " ",
    "\u{b}",
    "\u{a0}",
    "\u{2028}",
    "\u{feff}",
    "／",
    "＼",
    "。",
    "evil.example",
    "@",
    ":",
    ":443",
    "user:pass@",
    "https:",
    "http://",
    "javascript:",
    "data:",
    "?",
    "#",
    "a",
    "jobs",
    "%C3%BC",
    "ü",
    "%ff",
    "%",
    "[::1]",
    "xn--",
    ";",
    "&",
    "=",
    "+",
    "<",
    "\"",
    "'",
    "|",
    "^",
    "{",
];

fn addresses() -> impl Strategy<Value = String> {
    let piece = prop_oneof![4 => prop::sample::select(PIECES).prop_map(str::to_owned), 1 => any::<char>().prop_map(String::from)];
    let start = prop::sample::select(["/", "", "/a/", "/a"].as_slice());
    (start, prop::collection::vec(piece, 0..10))
        .prop_map(|(start, pieces)| start.to_owned() + &pieces.concat())
}

#[test]
fn accepted_redirect_stays_on_site() {
    let accepted = Cell::new(0);
    let bases = ["https://shop.example/jobs/a?b#c", "http://127.0.0.1:3000/", "https://[::1]:8443/x/y/"];
    let bases = bases.map(|base| Url::parse(base).unwrap());
    proptest!(cases(60_000), |(next in addresses())| {
        let Some(same) = local_redirect(&next) else { return Ok(()) };
        prop_assert_eq!(same, &next);
        accepted.set(accepted.get() + 1);
        for base in &bases {
            let led = base.join(&next).unwrap();
            prop_assert_eq!(led.origin(), base.origin(), "{}", next);
            prop_assert_eq!((led.username(), led.password()), ("", None), "{}", next);
            // Nothing is removed, added or understood in another way.
            let behind = &led.as_str()[led[..url::Position::BeforePath].len()..];
            prop_assert_eq!(behind.replace("%27", "'"), next.as_str());
        }
    });
    assert!(accepted.get() > 1_000, "only {accepted:?} were accepted");
}
