//! The HTML inputs for single values, and their attributes.

use jiff::SignedDuration;
use maud::{Markup, html};
use serde_json::Value;

use super::KeptFile;
use super::field::FormField;
use super::words;
use crate::field::{Choice, CivilKind, Field as _, PlainOptions, Shape, TextFormat, TextRules};
use crate::text::has_form;
use crate::texts::Texts;

/// The input of a field with its own label.
pub(super) fn input(field: &FormField<'_>) -> Markup {
    named(field, &field.name, None)
}

/// The input of an entry of a list: all entries have the list's name, and a label for screen readers only.
pub(super) fn entry(field: &FormField<'_>, list: &str) -> Markup {
    named(field, list, Some(field.label))
}

/// The attributes that all kinds of input share.
struct Common<'a> {
    texts: &'a Texts,
    id: String,
    name: &'a str,
    label: Option<&'a str>,
    invalid: Option<&'static str>,
    described: Option<String>,
    required: bool,
}

fn named(field: &FormField<'_>, name: &str, label: Option<&str>) -> Markup {
    let common = Common {
        texts: field.shown.texts,
        id: field.id(),
        name,
        label,
        invalid: field.is_wrong().then_some("true"),
        described: field.described_by(),
        required: field.required && field.kept().is_empty(),
    };
    let value = field.value;
    match field.shape {
        Shape::Text(rules) => text(&common, rules, &plain(value)),
        Shape::Duration { placeholder, .. } => {
            let rules = TextRules { placeholder: *placeholder, ..TextRules::default() };
            text(&common, &rules, &friendly(value))
        }
        Shape::Secret { rules, .. } => secret(&common, rules),
        Shape::Number { integer, min, max, step } => {
            number(&common, *integer, &plain(value), [min.as_ref(), max.as_ref(), step.as_ref()])
        }
        Shape::Civil { kind, min, max } => civil(&common, *kind, &plain(value), min.as_ref(), max.as_ref()),
        Shape::Choice { choices, .. } => select(&common, choices, value, field.optional),
        // An optional checkbox has three values.
        Shape::Checkbox => {
            let both = [("true", "form.yes"), ("false", "form.no")];
            let choice = |(value, key): (&str, &str)| Choice {
                value: value.into(),
                label: common.texts.text(key).to_owned(),
                help: None,
            };
            let choices = both.map(choice);
            let given =
                if value.is_null() || value == "" { Value::Null } else { ticked(value).to_string().into() };
            select(&common, &choices, &given, true)
        }
        Shape::Upload { accept, .. } => file(&common, *accept, false),
        Shape::List { item, .. } => match &**item {
            Shape::Upload { accept, .. } => file(&common, *accept, true),
            _ => text(&common, &TextRules::default(), &plain(value)),
        },
        Shape::Group(_) => text(&common, &TextRules::default(), &plain(value)),
    }
}

/// There is no `maxlength`: a browser counts characters differently and silently truncates pasted text. There is no
/// `type=email`: it accepts fewer addresses than the server, and rewrites addresses beyond ASCII.
fn text(common: &Common<'_>, rules: &TextRules, value: &str) -> Markup {
    let Common { id, name, label, invalid, described, required, .. } = common;
    let required = *required && rules.min_len != Some(0);
    let least = rules.min_len.filter(|least| *least > 0);
    let kind = if rules.format == TextFormat::Url { "url" } else { "text" };
    let mode = (rules.format == TextFormat::Email).then_some("email");
    html! {
        @if rules.multiline {
            textarea id=(id) name=(name) rows="5" dir="auto" aria-label=[label] required[required]
                minlength=[least] placeholder=[rules.placeholder]
                aria-invalid=[invalid] aria-describedby=[described] { "\n" (value) }
        } @else {
            input id=(id) name=(name) type=(kind) value=(value) dir="auto" aria-label=[label] required[required]
                minlength=[least] pattern=[rules.pattern.filter(|pattern| means_the_same(pattern))] title=[rules.pattern_message]
                placeholder=[rules.placeholder] inputmode=[mode] autocapitalize=[mode.map(|_| "none")]
                aria-invalid=[invalid] aria-describedby=[described];
        }
    }
}

/// True for a pattern that browsers interpret as the server does; only the server checks the others. Browsers have
/// nested sets, and reject a `-` at the edge of a set.
fn means_the_same(pattern: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || " .,:;_@#%=/+*?|^$(){}[]-\\".contains(c);
    let mut inside = false;
    let mut before = ' ';
    for c in pattern.chars() {
        let fits = match (before, c) {
            ('\\', c) => "dwDW.+*?|^$(){}[]-/\\".contains(c),
            ('(', '?') => false,
            ('-', ']') | ('[' | '^', '-') => !inside,
            ('-', '-') => false,
            (_, '[' | '(' | ')' | '{' | '}' | '/' | '|') if inside => false,
            (_, c) => plain(c),
        };
        if !fits {
            return false;
        }
        if before != '\\' && (c == '[' || c == ']') {
            inside = c == '[';
        }
        before = if before == '\\' { ' ' } else { c };
    }
    true
}

/// It never contains a value.
fn secret(common: &Common<'_>, rules: &TextRules) -> Markup {
    let Common { id, name, label, invalid, described, required, .. } = common;
    html! {
        input id=(id) name=(name) type="password" value="" autocomplete="off" aria-label=[label]
            required[*required] minlength=[rules.min_len]
            placeholder=[rules.placeholder] aria-invalid=[invalid] aria-describedby=[described];
    }
}

fn number(common: &Common<'_>, integer: bool, value: &str, rules: [Option<&Value>; 3]) -> Markup {
    let Common { id, name, label, invalid, described, required, .. } = common;
    let [min, max, step] = rules.map(|rule| rule.map(plain));
    // A number input would drop text that is not a number; a text input keeps it, so that the person can correct it.
    let readable = value.is_empty() || is_number(value);
    // Browsers calculate with floats, so only the server checks what floats cannot represent.
    let exact =
        |bound: &String| bound.parse::<f64>().is_ok_and(|bound| bound.abs() <= 9_007_199_254_740_992.0);
    let (min, max) = (min.filter(exact), max.filter(exact));
    // A browser counts steps from the minimum, or from the current value without one. The server does not count from
    // the minimum of a signed type.
    let from_zero = min.as_ref().is_some_and(|min| !integer || !min.starts_with('-'));
    let whole = integer && (min.is_some() || value.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-'));
    let step = step.filter(|_| from_zero).unwrap_or_else(|| if whole { "1" } else { "any" }.to_owned());
    html! {
        input id=(id) name=(name) type=(if readable { "number" } else { "text" }) value=(value)
            aria-label=[label] required[*required] min=[min] max=[max] step=(step)
            inputmode=(if integer { "numeric" } else { "decimal" })
            aria-invalid=[invalid] aria-describedby=[described];
    }
}

/// True for what an HTML number input can hold: no leading plus, no surrounding spaces.
fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (number, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let whole = whole.strip_prefix('-').unwrap_or(whole);
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    (digits(whole) || (whole.is_empty() && number.contains('.')))
        && digits(fraction)
        && digits(exponent)
        && text.parse::<f64>().is_ok_and(f64::is_finite)
}

fn civil(
    common: &Common<'_>,
    kind: CivilKind,
    value: &str,
    min: Option<&String>,
    max: Option<&String>,
) -> Markup {
    let Common { id, name, label, invalid, described, required, .. } = common;
    let utc = kind == CivilKind::Timestamp;
    let local = |text: &String| if utc { text.trim_end_matches('Z').to_owned() } else { text.clone() };
    let text = local(&value.to_owned());
    // These inputs cannot show fractions of a second and years of five digits.
    let (html, shapes): (_, &[&str]) = match kind {
        CivilKind::Date => ("date", &["0000-00-00"]),
        CivilKind::Time => ("time", &["00:00", "00:00:00"]),
        CivilKind::DateTime | CivilKind::Timestamp => {
            ("datetime-local", &["0000-00-00T00:00", "0000-00-00T00:00:00"])
        }
    };
    let can_show = |text: &str| shapes.iter().any(|shape| has_form(text, shape));
    let readable = text.is_empty() || can_show(&text);
    // The bounds need whole seconds and years of four digits, too: a browser counts steps from them.
    let bound = |bound: Option<&String>| bound.map(local).filter(|bound| can_show(bound));
    html! {
        input id=(id) name=(name) type=(if readable { html } else { "text" })
            value=(if readable { text.as_str() } else { value }) aria-label=[label] required[*required]
            min=[bound(min)] max=[bound(max)] step=[(kind != CivilKind::Date).then_some("1")]
            aria-invalid=[invalid] aria-describedby=[described];
    }
}

fn select(common: &Common<'_>, choices: &[Choice], value: &Value, optional: bool) -> Markup {
    let Common { texts, id, name, label, invalid, described, required } = common;
    let given = plain(value);
    let known = choices.iter().any(|choice| plain(&choice.value) == given);
    // If the empty text is one of the choices, choosing it is valid.
    let required = *required && !choices.iter().any(|choice| choice.value == "");
    html! {
        select id=(id) name=(name) aria-label=[label] required[required]
            aria-invalid=[invalid] aria-describedby=[described] {
            @if optional || !known { option value="" selected[!known] { (texts.text(if optional { "form.nothing" } else { "form.choose" })) } }
            @for choice in choices {
                @let value = plain(&choice.value);
                option value=(value) selected[value == given] dir="auto" { (choice.label) }
            }
        }
    }
}

fn file(common: &Common<'_>, accept: Option<&str>, multiple: bool) -> Markup {
    let Common { id, name, label, invalid, described, required, .. } = common;
    html! {
        input id=(id) name=(name) type="file" accept=[accept] multiple[multiple] aria-label=[label]
            required[*required && !multiple] aria-invalid=[invalid] aria-describedby=[described];
    }
}

/// A file of an earlier run, which is used again unless the box is unticked.
pub(super) fn kept(field: &FormField<'_>, file: &KeptFile) -> Markup {
    let texts = field.shown.texts;
    html! {
        label.tick {
            input type="checkbox" name=(field.name) value=(file.address) checked;
            span {
                (words::around(texts.text("form.keep_file"), "{name}", &html! { bdi { (file.name) } })) " "
                span.soft { (texts.size(file.size)) }
            }
        }
    }
}

/// A checkbox, with its label beside it.
pub(super) fn tick(field: &FormField<'_>) -> Markup {
    html! {
        // An unticked checkbox sends nothing, so this sends "off". A later value wins.
        input type="hidden" name=(field.name) value="off";
        label.tick {
            input id=(field.id()) name=(field.name) type="checkbox" value="on" checked[ticked(field.value)]
                aria-invalid=[field.is_wrong().then_some("true")] aria-describedby=[field.described_by()];
            bdi { (field.label) }
        }
    }
}

/// Radio buttons, one for each choice.
pub(super) fn radios(field: &FormField<'_>, choices: &[Choice]) -> Markup {
    let given = plain(field.value);
    html! {
        @if field.optional {
            (button(field, "radio", "", field.shown.texts.text("form.none"), None, given.is_empty(), 0))
        }
        @for (index, choice) in choices.iter().enumerate() {
            @let value = plain(&choice.value);
            (button(field, "radio", &value, &choice.label, choice.help, value == given, index + 1))
        }
    }
}

/// Checkboxes, one for each choice.
pub(super) fn boxes(field: &FormField<'_>, choices: &[Choice]) -> Markup {
    let given: Vec<String> = match field.value {
        Value::Array(values) => values.iter().map(plain).collect(),
        one => vec![plain(one)],
    };
    html! {
        input type="hidden" name=(field.name) value="";
        @for (index, choice) in choices.iter().enumerate() {
            @let value = plain(&choice.value);
            (button(field, "checkbox", &value, &choice.label, choice.help, given.contains(&value), index + 1))
        }
    }
}

fn button(
    field: &FormField<'_>,
    kind: &str,
    value: &str,
    label: &str,
    help: Option<&str>,
    checked: bool,
    index: usize,
) -> Markup {
    let id = format!("{}-{index}", field.id());
    html! {
        label.tick {
            input id=(id) name=(field.name) type=(kind) value=(value) checked[checked]
                required[kind == "radio" && field.required] aria-invalid=[field.is_wrong().then_some("true")];
            span dir="auto" { (label) @if let Some(help) = help { " " span.soft { (help) } } }
        }
    }
}

/// A duration as people write it; a text that is none as it is.
fn friendly(value: &Value) -> String {
    let text = plain(value);
    text.parse::<SignedDuration>().map_or(text, |length| format!("{length:#}"))
}

/// A value as the text that a form sends for it.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn ticked(value: &Value) -> bool {
    bool::parse(value, &PlainOptions::default()).is_ok_and(|on| on)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browser_incompatible_pattern_is_omitted() {
        for pattern in ["[0-9]{5}", "[A-Z]{2}\\d+", "(a|b)+", "[^a-z]*", "\\w+@\\w+\\.\\w{2,}", "[\\w.]+"] {
            assert!(means_the_same(pattern), "{pattern}");
        }
        for pattern in
            ["[[:alpha:]]+", "[a-z-]+", "[-a]", "(?i)abc", "\\S+", "\\pL", "[a--b]", "é+", "[(]", "[a|b]"]
        {
            assert!(!means_the_same(pattern), "{pattern}");
        }
    }

    #[test]
    fn number_matches_html_number_input() {
        for text in ["0", "-3", "12.5", ".5", "1e3", "1.5E-2", "9007199254740993"] {
            assert!(is_number(text), "{text}");
        }
        for text in ["+5", " 5", "5.", "1e", "inf", "NaN", "0x10", "--1", "1.-5", "", "-", "."] {
            assert!(!is_number(text), "{text}");
        }
    }
}
