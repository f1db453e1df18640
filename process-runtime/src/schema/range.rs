//! Regular expressions for the texts between two bounds: whole numbers, dates, times and durations. JSON Schema has
//! bounds for numbers only.

/// One part of a text whose order is that of its parts, from left to right.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    /// What is in front of the number.
    pub(super) before: &'static str,
    /// The number of digits, with leading zeros; 0 for a number without them.
    pub(super) width: usize,
    pub(super) least: u64,
    pub(super) most: u64,
    /// What follows the number.
    pub(super) after: &'static str,
    /// What follows all later parts.
    pub(super) end: &'static str,
    pub(super) lacking: Lacking,
    /// Up to nine decimal places, instead of a number.
    pub(super) is_fraction: bool,
}

/// Whether a part may be left out, which means 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lacking {
    Never,
    Alone,
    WithTheRest,
}

impl Part {
    pub(super) const fn number(width: usize, least: u64, most: u64, after: &'static str) -> Self {
        let (before, end, lacking) = ("", "", Lacking::Never);
        Self { before, width, least, most, after, end, lacking, is_fraction: false }
    }

    /// Decimal places, as nanoseconds.
    pub(super) const FRACTION: Self = Self { is_fraction: true, ..Self::number(9, 0, 999_999_999, "") };
}

/// What no text matches.
pub(super) const NOTHING: &str = r"[^\s\S]";

/// Matches the texts with these parts from one bound to another, both included; nothing if there are none.
pub(super) fn between(parts: &[Part], from: Option<&[u64]>, to: Option<&[u64]>) -> Option<String> {
    let Some((part, rest)) = parts.split_first() else { return Some(String::new()) };
    let loose_from =
        |parts: &[Part], from: &[u64]| parts.iter().zip(from).all(|(part, from)| *from <= part.least);
    let loose_to = |parts: &[Part], to: &[u64]| parts.iter().zip(to).all(|(part, to)| *to >= part.most);
    let (first_from, first_to) = (from.and_then(|from| from.first()), to.and_then(|to| to.first()));
    let from = from.filter(|from| !loose_from(parts, from) && first_from >= Some(&part.least));
    let to = to.filter(|to| !loose_to(parts, to) && first_to.is_some_and(|to| *to <= part.most));
    let least = first_from.map_or(part.least, |from| part.least.max(*from));
    let most = first_to.map_or(part.most, |to| part.most.min(*to));
    if least > most {
        return None;
    }
    if part.is_fraction {
        return Some(fraction(least, most));
    }
    let split = |bound: Option<&[u64]>| bound.and_then(<[u64]>::split_first).map(|(_, rest)| rest.to_vec());
    let from_rest = split(from).filter(|from| !loose_from(rest, from));
    let to_rest = split(to).filter(|to| !loose_to(rest, to));
    let (from_rest, to_rest) = (from_rest.as_deref(), to_rest.as_deref());
    let mut cases = Vec::new();
    if least == most {
        cases.push((least, most, from_rest, to_rest));
    } else {
        let (mut low, mut high) = (least, most);
        if from_rest.is_some() {
            cases.push((least, least, from_rest, None));
            low += 1;
        }
        if to_rest.is_some() {
            high -= 1;
        }
        if low <= high {
            cases.push((low, high, None, None));
        }
        if to_rest.is_some() {
            cases.push((most, most, None, to_rest));
        }
    }
    let cases = cases.into_iter().filter_map(|(low, high, from_rest, to_rest)| {
        let number = format!("{}{}{}", part.before, numbers(low, high, part.width), part.after);
        let may_lack = part.lacking == Lacking::Alone && low == 0;
        let number = if may_lack { format!("(?:{number})?") } else { number };
        Some(format!("{number}{}{}", between(rest, from_rest, to_rest)?, part.end))
    });
    let cases: Vec<_> = cases.collect();
    if cases.is_empty() {
        return None;
    }
    let may_lack =
        part.lacking == Lacking::WithTheRest && from.is_none_or(|from| from.iter().all(|value| *value == 0));
    Some(if may_lack { format!("(?:{})?", cases.join("|")) } else { any_of(cases) })
}

/// Matches whole numbers with this many digits, or without leading zeros.
fn numbers(from: u64, to: u64, width: usize) -> String {
    if width == 0 {
        return whole(&from.to_string(), &to.to_string());
    }
    any_of(digits(format!("{from:0width$}").as_bytes(), format!("{to:0width$}").as_bytes()))
}

/// Matches the whole numbers from one to another, without leading zeros; both are not negative.
fn whole(from: &str, to: &str) -> String {
    if from.len() == to.len() {
        return any_of(digits(from.as_bytes(), to.as_bytes()));
    }
    let mut cases = digits(from.as_bytes(), "9".repeat(from.len()).as_bytes());
    let is_full = to.bytes().all(|digit| digit == b'9');
    let (first, last) = (from.len() + 1, if is_full { to.len() } else { to.len() - 1 });
    if first <= last {
        cases.push(format!("[1-9][0-9]{{{},{}}}", first - 1, last - 1));
    }
    if !is_full {
        cases.extend(digits(format!("1{}", "0".repeat(to.len() - 1)).as_bytes(), to.as_bytes()));
    }
    any_of(cases)
}

/// Matches the whole numbers from one to another, as texts without leading zeros.
pub(super) fn integers(from: &str, to: &str) -> String {
    let mut cases = Vec::new();
    match (from.strip_prefix('-'), to.strip_prefix('-')) {
        (Some(least), Some(most)) => cases.push(format!("-{}", whole(most, least))),
        (Some(least), None) => cases.extend([format!("-{}", whole("1", least)), whole("0", to)]),
        (None, None) => cases.push(whole(from, to)),
        (None, Some(_)) => cases.push(NOTHING.to_owned()),
    }
    any_of(cases)
}

/// Matches the numbers from one to another, which have the same number of digits. Each case stands by itself, since some
/// validators limit how deep a pattern is nested.
fn digits(from: &[u8], to: &[u8]) -> Vec<String> {
    let (Some((first, from)), Some((last, to))) = (from.split_first(), to.split_first()) else {
        return vec![String::new()];
    };
    let is_low = from.iter().all(|digit| *digit == b'0');
    let is_high = to.iter().all(|digit| *digit == b'9');
    let with = |digit: u8, rest: Vec<String>| -> Vec<String> {
        rest.into_iter().map(|rest| format!("{}{rest}", char::from(digit))).collect()
    };
    if first == last && !(is_low && is_high) {
        return with(*first, digits(from, to));
    }
    let (mut low, mut high) = (*first, *last);
    let mut cases = Vec::new();
    if !is_low {
        cases.extend(with(low, digits(from, &vec![b'9'; from.len()])));
        low += 1;
    }
    let last_cases = if is_high { Vec::new() } else { with(high, digits(&vec![b'0'; to.len()], to)) };
    if !is_high {
        high -= 1;
    }
    if low <= high {
        cases.push(format!("{}{}", set(low, high), repeated(0, from.len())));
    }
    cases.extend(last_cases);
    cases
}

/// Matches up to nine decimal places with their point, which are these nanoseconds; none are 0.
fn fraction(from: u64, to: u64) -> String {
    let [least, most] = [from, to].map(|nanoseconds| format!("{nanoseconds:09}"));
    let places = places(least.as_bytes(), most.as_bytes(), (from > 0, to < 999_999_999), true);
    format!(r"(?:\.{places}){}", if from == 0 { "?" } else { "" })
}

fn places(from: &[u8], to: &[u8], (is_from, is_to): (bool, bool), is_first: bool) -> String {
    if !is_from && !is_to {
        return if is_first { "[0-9]{1,9}".to_owned() } else { repeated(from.len(), from.len()) };
    }
    let (Some((first, from_rest)), Some((last, to_rest))) = (from.split_first(), to.split_first()) else {
        return String::new();
    };
    let (mut low, mut high) = (if is_from { *first } else { b'0' }, if is_to { *last } else { b'9' });
    let with = |low, high, tight| format!("{}{}", set(low, high), places(from_rest, to_rest, tight, false));
    let mut cases = Vec::new();
    if low == high {
        cases.push(with(low, high, (is_from, is_to)));
    } else {
        let top = is_to.then(|| with(high, high, (false, true)));
        if is_from {
            cases.push(with(low, low, (true, false)));
            low += 1;
        }
        if is_to {
            high -= 1;
        }
        if low <= high {
            cases.push(with(low, high, (false, false)));
        }
        cases.extend(top);
    }
    let may_end = !is_first && (!is_from || from.iter().all(|digit| *digit == b'0'));
    if may_end { format!("(?:{})?", cases.join("|")) } else { any_of(cases) }
}

fn set(low: u8, high: u8) -> String {
    if low == high {
        char::from(low).to_string()
    } else {
        format!("[{}-{}]", char::from(low), char::from(high))
    }
}

/// Any digits: exactly this many, or so many fewer.
fn repeated(fewer: usize, length: usize) -> String {
    match (length - fewer, length) {
        (_, 0) => String::new(),
        (1, 1) => "[0-9]".to_owned(),
        (least, most) if least == most => format!("[0-9]{{{most}}}"),
        (least, most) => format!("[0-9]{{{least},{most}}}"),
    }
}

pub(super) fn any_of(mut cases: Vec<String>) -> String {
    match cases.len() {
        1 => cases.remove(0),
        _ => format!("(?:{})", cases.join("|")),
    }
}

#[cfg(test)]
mod tests {
    use regex_lite::Regex;

    use super::*;

    fn matches(pattern: &str) -> impl Fn(&str) -> bool + use<> {
        let pattern = Regex::new(&format!("^(?:{pattern})$")).unwrap();
        move |text| pattern.is_match(text)
    }

    #[test]
    fn integers_match_exactly_their_range() {
        for (from, to) in
            [(0, 0), (0, 9), (1, 500), (37, 1_204), (-128, 127), (-40, -7), (0, 999), (100, 2_000)]
        {
            let is_in = matches(&integers(&i32::to_string(&from), &i32::to_string(&to)));
            for number in -2_100..2_100 {
                assert_eq!(
                    is_in(&number.to_string()),
                    (from..=to).contains(&number),
                    "{number} of {from}..={to}"
                );
            }
            assert!(!is_in("00") && !is_in("-0") && !is_in("+1") && !is_in(" 1") && !is_in(""));
        }
        let is_in = matches(&integers("0", &u128::MAX.to_string()));
        assert!(
            is_in("340282366920938463463374607431768211455")
                && !is_in("340282366920938463463374607431768211456")
        );
        assert!(is_in(&i128::MAX.to_string()) && !is_in(&format!("{}0", u128::MAX)));
    }

    #[test]
    fn fractions_are_compared_as_numbers() {
        for (from, to) in
            [(0, 999_999_999), (500_000_000, 999_999_999), (0, 250_000_000), (120_000_000, 345_600_000)]
        {
            let is_in = matches(&fraction(from, to));
            assert_eq!(is_in(""), from == 0);
            for text in [
                "1",
                "12",
                "120",
                "119999999",
                "3456",
                "34560",
                "345600001",
                "25",
                "2500000000",
                "5",
                "9",
                "0",
            ] {
                let places = format!("{text:0<9}");
                let expected = places.len() == 9 && (from..=to).contains(&places.parse::<u64>().unwrap());
                assert_eq!(is_in(&format!(".{text}")), expected, ".{text} of {from}..={to}");
            }
            assert!(!is_in("."));
        }
    }

    #[test]
    fn parts_are_compared_from_left_to_right() {
        let seconds = Part { before: ":", lacking: Lacking::WithTheRest, ..Part::number(2, 0, 59, "") };
        let parts = [Part::number(2, 0, 23, ":"), Part::number(2, 0, 59, ""), seconds, Part::FRACTION];
        let is_in = matches(&between(&parts, Some(&[9, 30, 15, 0]), Some(&[17, 45, 0, 0])).unwrap());
        for inside in
            ["09:30:15", "09:30:15.5", "09:31", "10:00", "17:44:59.999", "17:45", "17:45:00", "17:45:00.0"]
        {
            assert!(is_in(inside), "{inside}");
        }
        for outside in ["09:30", "09:30:14.9", "17:45:00.1", "17:45:01", "17:46", "24:00", "9:45", "12:60"] {
            assert!(!is_in(outside), "{outside}");
        }
        assert_eq!(between(&parts, Some(&[9, 0, 0, 0]), Some(&[8, 0, 0, 0])), None);
        let all = between(&parts, None, None).unwrap();
        assert_eq!(all, r"(?:[0-1][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?");
    }
}
