//! Hostile texts for places where text is shown, stored, sent or logged.

/// Each contains the word `kuckuck`, by which tests find it.
pub fn payloads() -> Vec<String> {
    let mut payloads: Vec<String> = [
        // Markup, and ways out of an attribute, a script, a style, a comment, a title.
        "<script>kuckuck()</script>",
        "<img src=x onerror=kuckuck()>",
        "\"><svg/onload=kuckuck()>",
        "' onfocus=kuckuck() autofocus='",
        "</title></textarea></style></script><iframe srcdoc='<script>kuckuck()</script>'>",
        "--><!--kuckuck",
        "<math><mi//xlink:href=\"data:x,<script>kuckuck()</script>\">",
        "javascript:kuckuck()",
        "data:text/html,<script>kuckuck()</script>",
        "{{kuckuck()}}${kuckuck()}<%= kuckuck() %>",
        "&lt;kuckuck&gt; &amp; &#60;b&#62;",
        // Styles.
        "</style><style>*{display:none}kuckuck{}",
        "x;background:url(//kuckuck.example/)",
        // Lines of a stream, of a head, of a log.
        "a\r\nkuckuck: 1\r\n\r\n<html>",
        "a\n\nevent: end\ndata: {\"kuckuck\":1}\n\n",
        "a\nid: kuckuck\nretry: 1",
        "kuckuck\u{2028}b\u{2029}c\u{85}d",
        "kuckuck\0b\u{8}\u{7f}",
        "\u{1b}[2J\u{1b}]0;kuckuck\u{7}\u{9b}31m",
        // Directions, nothing to see, and half a pair.
        "\u{202e}kcukcuk\u{202c} \u{2066}kuckuck\u{2069}\u{200f}",
        "k\u{200b}kuckuck\u{feff}\u{ad}",
        "kuckuck 👩\u{200d}👩\u{200d}👧 e\u{301}\u{301}\u{301}\u{301}",
        // Paths and names.
        "../../../../etc/kuckuck",
        "..\\..\\kuckuck",
        "/etc/kuckuck\0.txt",
        "C:\\kuckuck",
        "kuckuck\"; filename=\"b.html",
        "con.kuckuck/.",
        "%2e%2e%2fkuckuck%00",
        // Formulas for spreadsheets, and lookups.
        "=HYPERLINK(\"http://kuckuck.example\")",
        "'; DROP TABLE runs; -- kuckuck",
        "%s%n%x kuckuck",
        "__proto__ kuckuck",
    ]
    .map(str::to_owned)
    .into();
    payloads.push(format!("kuckuck {}", "<b>".repeat(20_000)));
    payloads.push(format!("kuckuck{}", "x".repeat(60_000)));
    payloads
}
