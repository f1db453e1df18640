//! Tests of what terminals would show.

use super::*;

/// The styles of a text, each with its part.
fn styles(text: &str) -> Vec<(String, String)> {
    let (plain, spans) = styled(text);
    let styled = pieces(&plain, &spans).into_iter().filter(|(_, style)| *style != Style::default());
    styled.map(|(piece, style)| (piece.to_owned(), style.to_string())).collect()
}

fn said(parts: &[(&str, &str)]) -> Vec<(String, String)> {
    parts.iter().map(|(text, style)| ((*text).to_owned(), (*style).to_owned())).collect()
}

#[test]
fn plain_text_is_returned_unchanged() {
    for text in ["", "Imported 3 of 4 – done…", "größe\n\t∆ 漢字 👩‍👩‍👧 استيراد", "a\u{a0}b £5"]
    {
        assert!(is_plain(text), "{text:?}");
        let given = text.to_owned();
        let place = given.as_ptr();
        let (kept, styles) = styled(given);
        assert_eq!((kept.as_str(), kept.as_ptr(), styles.len()), (text, place, 0));
        assert_eq!(stored(text, &[]), text);
    }
}

#[test]
fn each_byte_is_looked_at() {
    for length in 1..20 {
        for place in 0..length {
            for c in ['\0', '\r', '\u{1b}', '\u{1f}', '\u{7f}', '\u{80}', '\u{202e}', '\u{2069}'] {
                let text: String = (0..length).map(|at| if at == place { c } else { 'x' }).collect();
                assert!(!is_plain(&text), "{text:?}");
            }
            for c in [' ', '~', '\t', '\n', 'é', '…', '\u{a0}', 'ا'] {
                let text: String = (0..length).map(|at| if at == place { c } else { '~' }).collect();
                assert!(is_plain(&text), "{text:?}");
            }
        }
    }
}

#[test]
fn carriage_return_replaces_its_line() {
    for (text, shown) in [
        ("10%\r20%\r30%", "30%"),
        ("10%\r20%\r", "20%"),
        ("one\r\ntwo\r\r\nthree\r\n", "one\ntwo\nthree"),
        ("kept\n10%\r100%\nnext", "kept\n100%\nnext"),
        ("working\r       \rdone", "done"),
        ("fetching\u{1b}[2K\u{1b}[1Gfetched", "fetched"),
        ("a long line\r\u{1b}[Kshort", "short"),
        ("a line\u{1b}[K", "a line"),
        ("|\u{8}/\u{8}-\u{8}\u{8}\u{8}done", "done"),
        ("a\u{85}b\u{2028}c\u{2029}d\u{b}e\u{c}f", "a\nb\nc\nd\ne\nf"),
    ] {
        assert_eq!(plain(text), shown, "{text:?}");
        assert_eq!(plain(shown), shown, "a second time");
    }
}

#[test]
fn escapes_and_controls_are_removed() {
    for (text, shown) in [
        ("\u{1b}]8;;https://example.org\u{1b}\\page\u{1b}]8;;\u{7}!", "page!"),
        ("\u{1b}]0;title\u{7}\u{1b}[2J\u{1b}[?25l\u{1b}(Bx\u{7}", "x"),
        ("\u{1b}P1$r0m\u{1b}\\a\u{1b}_hidden\u{1b}\\b\u{9d}0;title\u{9c}c", "abc"),
        ("\u{9b}31mred\u{9b}0m", "red"),
        ("\u{1b}[>4;31mx\u{1b}[1;2Hy\u{1b}", "xy"),
        ("nul\0 \u{7f}\u{2}\u{202e}bidi\u{202c}\u{2066}\u{2069}\u{200f}\u{61c}", "nul bidi"),
        ("open \u{1b}]8;;https://example.org\nnext", "open \nnext"),
        ("open \u{1b}[31", "open "),
    ] {
        assert_eq!(plain(text), shown, "{text:?}");
    }
    assert_eq!(name("\u{1b}[1mBuild\u{1b}[m\r\nand\ttest\n"), "Build and test");
    assert!(matches!(name("imported"), Cow::Borrowed("imported")));
}

#[test]
fn sixteen_colours_remain_of_all() {
    for (text, expected) in [
        ("\u{1b}[31mERROR\u{1b}[0m disk", &[("ERROR", "red")][..]),
        ("\u{1b}[1;38;5;9merror\u{1b}[0m\u{1b}[1m: it\u{1b}[m", &[("error", "bold red"), (": it", "bold")]),
        (
            "\u{1b}[38;2;10;200;30mg\u{1b}[38:5:33mb\u{1b}[38:2::250:240:20my",
            &[("g", "green"), ("b", "blue"), ("y", "yellow")],
        ),
        ("\u{1b}[30;47mlabel\u{1b}[m \u{1b}[97;41m FAIL \u{1b}[49m.", &[(" FAIL ", "red")]),
        (
            "\u{1b}[90mdim\u{1b}[39m\u{1b}[35mm\u{1b}[36mc\u{1b}[37mw",
            &[("dim", "gray"), ("m", "magenta"), ("c", "cyan")],
        ),
        ("\u{1b}[38;5;244mgray\u{1b}[38;5;255mwhite", &[("gray", "gray")]),
        ("\u{1b}[33mlost\r\u{1b}[32mok\u{1b}[m", &[("ok", "green")]),
        ("\u{1b}[31ma\nb", &[("a", "red"), ("b", "red")]),
        ("\u{1b}[31mx\u{8}\u{1b}[my", &[]),
    ] {
        assert_eq!(styles(text), said(expected), "{text:?}");
    }
}

#[test]
fn stored_line_keeps_text_and_styles() {
    let text = "\u{1b}[1;31mERRÖR\u{1b}[0m 📦 \u{1b}[90mat\u{1b}[0m\nline \u{1b}[4;36m2\u{1b}[0m";
    let (plain, spans) = styled(text);
    let kept = stored(&plain, &spans);
    assert_eq!(kept, "\u{1b}[m\u{1b}[1;31mERRÖR\u{1b}[m 📦 \u{1b}[90mat\u{1b}[m\nline \u{1b}[36m2\u{1b}[m");
    assert_eq!(read_stored(&kept), (Cow::Borrowed(plain.as_str()), spans));
    // What other programs have stored is left alone.
    for odd in ["a\0b", "\u{1b}[31mred\u{1b}[0m", "line\r\n"] {
        assert_eq!(read_stored(odd), (Cow::Borrowed(odd), Vec::new()));
    }
}

#[test]
fn cut_line_keeps_styles_before_cut() {
    let (text, spans) = line("\u{1b}[31méé\u{1b}[m \u{1b}[32mok\u{1b}[m".to_owned(), 3);
    assert_eq!(text, "é… [cut: 7 bytes in all]");
    assert_eq!(pieces(&text, &spans)[0].0, "é");
    assert_eq!((spans.len(), spans[0].len), (1, 1));
}

#[test]
fn styles_of_a_line_are_bounded() {
    let rainbow: String = (0..100_000).map(|n| format!("\u{1b}[3{}mx", n % 6 + 1)).collect();
    let (plain, spans) = styled(rainbow);
    assert_eq!((plain.len(), spans.len()), (100_000, MAX_SPANS));
    assert_eq!(read_stored(&stored(&plain, &spans)), (Cow::Borrowed(plain.as_str()), spans));
}
