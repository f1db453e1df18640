//! Catalogs are complete, plurals and placeholders work, and mistakes have clear errors.

use serde_json::json;

use super::*;

fn texts(tag: &str) -> &'static Texts {
    Languages::built_in().find(tag).unwrap()
}

#[test]
fn missing_key_shows_itself() {
    let texts = Texts::english();
    assert_eq!(texts.text("no.such.key"), "no.such.key");
    assert_eq!(texts.counted("no.such.key", 3), "no.such.key");
    assert_eq!(Texts::nothing().percent(42.0), "percent");
}

#[test]
fn placeholders_filled_other_braces_kept() {
    let word = |name: &str| (name == "n").then_some(Cow::Borrowed("5"));
    assert_eq!(filled("{n} of {total}, { {n}", word), "5 of {total}, { 5");
    assert_eq!(filled("{", word), "{");
    assert_eq!(filled("{n", word), "{n");
}

#[test]
fn values_are_not_interpolated() {
    let texts = Texts::english();
    let said = texts.with("run.copied_error", &[("title", "{error}"), ("error", "{id}"), ("id", "7")]);
    assert_eq!(said, "{error}: {id}\nRun 7");
}

#[test]
fn data_keeps_its_own_direction() {
    let (english, arabic) = (texts("en"), texts("ar"));
    let stage = |texts: &Texts, name| texts.with("stage.of", &[("index", "2"), ("of", "4"), ("name", name)]);
    assert_eq!(stage(english, "Export (2)"), "2 of 4 · Export (2)");
    assert_eq!(stage(english, "استيراد (2)"), "2 of 4 · \u{2068}استيراد (2)\u{2069}");
    assert_eq!(stage(arabic, "Export (2)"), "2 من 4 · \u{2068}Export (2)\u{2069}");
    assert_eq!(stage(arabic, "استيراد 2"), "2 من 4 · استيراد 2");
    assert!(
        arabic.with("process.scheduled", &[("schedule", "0 3 * * *")]).contains("\u{2068}0 3 * * *\u{2069}")
    );
    assert_eq!(arabic.percent(42.0), "42\u{200e}%\u{200e}", "numbers are left alone");
    let message = Message::new("refused.input").with("field", "Price").with("why", "لا");
    assert!(arabic.say(&message).contains("\u{2068}Price\u{2069}") && arabic.say(&message).contains("لا"));
}

#[test]
fn plural_form_follows_number() {
    let texts = Texts::english();
    assert_eq!(texts.counted("log.earlier", 1), "1 earlier line");
    assert_eq!(texts.counted("log.earlier", 0), "0 earlier lines");
    assert_eq!(texts.counted("log.earlier", 1_234), "1,234 earlier lines");
}

#[test]
fn messages_nest_numbers_and_messages() {
    let most = Message::new("value.entries").with("n", 1_usize);
    let message = Message::new("field.too_many").with("entries", most).with("given", 2_000_usize);
    assert_eq!(message.to_string(), "Enter at most 1 entry, not 2,000");
}

#[test]
fn numbers_are_formatted_for_people() {
    let texts = Texts::english();
    assert_eq!(texts.grouped("1234567.891"), "1,234,567.891");
    assert_eq!(texts.grouped("-1234"), "-1,234");
    assert_eq!(texts.grouped("-123"), "-123");
    assert_eq!(texts.plain("1234.5"), "1234.5");
    assert_eq!(texts.percent(99.9), "99 %");
    assert_eq!(texts.duration(0, false), "0 s");
    assert_eq!(texts.duration(1_340, true), "1.3 s");
    assert_eq!(texts.duration(1_340, false), "1 s");
    assert_eq!(texts.duration(65_000, true), "1 m 5 s");
    assert_eq!(texts.duration(120_000, true), "2 m");
    assert_eq!(texts.duration(7_620_000, true), "2 h 7 m");
    assert_eq!(texts.size(1), "1 byte");
    assert_eq!(texts.size(999), "999 bytes");
    assert_eq!(texts.size(1_400_000), "1.4 MB");
    assert_eq!(texts.size(999_999), "1 MB");
    assert_eq!(texts.size(u64::MAX), "18,446.7 PB");
}

/// Numbers and sizes as Chromium's `Intl` writes them: number, small number, negative, durations, sizes.
const FIGURES: [(&str, [&str; 10]); 6] = [
    (
        "en",
        [
            "12,345.678",
            "1,234",
            "-1,234,567",
            "42 %",
            "1.3 s",
            "5 s",
            "3 m 5 s",
            "2 h 7 m",
            "1,234 h 7 m",
            "1.4 MB",
        ],
    ),
    (
        "es",
        [
            "12.345,678",
            "1234",
            "-1.234.567",
            "42\u{a0}%",
            "1,3 s",
            "5 s",
            "3 min 5 s",
            "2 h 7 min",
            "1234 h 7 min",
            "1,4 MB",
        ],
    ),
    (
        "de",
        [
            "12.345,678",
            "1.234",
            "-1.234.567",
            "42\u{a0}%",
            "1,3 s",
            "5 s",
            "3 min 5 s",
            "2 h 7 min",
            "1.234 h 7 min",
            "1,4 MB",
        ],
    ),
    (
        "fr",
        [
            "12\u{202f}345,678",
            "1\u{202f}234",
            "-1\u{202f}234\u{202f}567",
            "42\u{a0}%",
            "1,3\u{202f}s",
            "5\u{202f}s",
            "3\u{a0}min 5\u{202f}s",
            "2\u{202f}h 7\u{a0}min",
            "1\u{202f}234\u{202f}h 7\u{a0}min",
            "1,4\u{202f}Mo",
        ],
    ),
    (
        "zh",
        [
            "12,345.678",
            "1,234",
            "-1,234,567",
            "42%",
            "1.3秒",
            "5秒",
            "3分钟5秒",
            "2小时7分钟",
            "1,234小时7分钟",
            "1.4 MB",
        ],
    ),
    (
        "ar",
        [
            "12,345.678",
            "1,234",
            "\u{200e}-1,234,567",
            "42\u{200e}%\u{200e}",
            "1.3 ث",
            "5 ث",
            "3 د 5 ث",
            "2 س 7 د",
            "1,234 س 7 د",
            "1.4 م.ب",
        ],
    ),
];

#[test]
fn number_formats_match_browsers() {
    for (tag, figures) in FIGURES {
        let texts = texts(tag);
        let written = [
            texts.grouped("12345.678"),
            texts.grouped("1234"),
            texts.grouped("-1234567"),
            texts.percent(42.4),
            texts.duration(1_340, true),
            texts.duration(5_999, false),
            texts.duration(185_000, true),
            texts.duration(7_620_000, true),
            texts.duration(4_442_820_000, true),
            texts.size(1_400_000),
        ];
        assert_eq!(written, figures, "{tag}");
    }
}

#[test]
fn arabic_has_all_plural_forms() {
    let texts = texts("ar");
    let lines = [0, 1, 2, 3, 11, 100].map(|number| texts.counted("log.lines", number));
    assert_eq!(lines, ["لا أسطر", "سطر واحد", "سطران", "3 أسطر", "11 سطرًا", "100 سطر"]);
}

#[test]
fn language_falls_back_to_wider_tag() {
    let mut settings = LanguageSettings::default();
    settings.language("pt-BR".into(), "{}".into());
    let languages = settings.read().unwrap();
    let find = |tag: &str| languages.find(tag).map(|texts| texts.tag());
    assert_eq!(find("EN"), Some("en"));
    assert_eq!(find("en-GB-oxendict"), Some("en"));
    assert_eq!(find("pt"), Some("pt-BR"));
    assert_eq!(find("pt-PT"), Some("pt-BR"));
    for forged in ["", "-", "e", "english", "../en", "*", "en_US"] {
        assert_eq!(find(forged), None, "{forged}");
    }
}

#[test]
fn texts_can_be_overridden_and_extended() {
    let mut settings = LanguageSettings::default();
    settings.text("en".into(), "page.processes".into(), "Jobs".into());
    settings.language("en-GB".into(), r#"{ "page.log": "Logbook" }"#.into());
    let languages = settings.read().unwrap();
    let british = languages.find("en-GB").unwrap();
    assert_eq!((british.text("page.log"), british.text("page.processes")), ("Logbook", "Jobs"));
    assert_eq!(british.counted("log.earlier", 1), "1 earlier line");
    assert_eq!(Texts::english().text("page.processes"), "Processes");
}

#[test]
fn invalid_translation_names_language_and_key() {
    type Change = fn(&mut LanguageSettings);
    let cases: [(Change, &str); 13] = [
        (|s| s.language("pt".into(), "[]".into()), "pt: its texts are not a JSON object"),
        (|s| s.language("pt".into(), r#"{"page.log": 1}"#.into()), "pt: `page.log`: write a text"),
        (
            |s| s.language("pt".into(), r#"{"page.proceses": ""}"#.into()),
            "pt: there is no text `page.proceses`: did you mean `page.processes`?",
        ),
        (
            |s| s.language("pt".into(), r#"{"log.earlier": {"one": ""}}"#.into()),
            "`log.earlier`: the form `other` is missing",
        ),
        (
            |s| s.language("pt".into(), r#"{"log.earlier": {"others": ""}}"#.into()),
            "`others` is not a plural form: the forms are zero, one",
        ),
        (
            |s| s.language("pt".into(), r#"{"log.earlier": "{nn}"}"#.into()),
            "pt: `log.earlier` has no placeholder `{nn}`: it can contain {n}",
        ),
        (|s| s.language("pt".into(), r#"{"page.log": "{n}"}"#.into()), "pt: `page.log` has no placeholders"),
        (|s| s.language("not a tag".into(), "{}".into()), "`not a tag` is not a language tag"),
        (|s| s.text("pt".into(), "page.log".into(), String::new()), "there is no language `pt`"),
        (|s| s.text("en".into(), "page.logs".into(), String::new()), "en: there is no text `page.logs`"),
        (|s| s.default_to("pt".into()), "`pt` cannot be the default: the languages are "),
        (|s| s.offer(vec!["pt".into()]), "`pt` cannot be offered: the languages are "),
        (|s| s.offer(Vec::new()), "no language is offered"),
    ];
    for (change, says) in cases {
        let mut settings = LanguageSettings::default();
        change(&mut settings);
        let wrong = settings.read().unwrap_err().to_string();
        assert!(wrong.contains(says), "{says} is not in: {wrong}");
    }
}

#[test]
fn client_gets_texts_script_uses() {
    let texts = texts("en");
    let script = "t(\"log.earlier\", { n }); t(`status.${run.status}`); // page.log, \"page\"";
    let client = texts.client(script);
    assert_eq!(client["log.earlier"]["one"], "{n} earlier line");
    assert_eq!(client["status.running"], "Running");
    assert_eq!(client["page.log"], json!(null));
    let named = client.as_object().unwrap().len();
    assert!((8..20).contains(&named), "{named}");
}
