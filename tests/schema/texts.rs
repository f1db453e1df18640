//! Texts that match a regular expression, or have a format.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use process_tests::Chance;
use regex_syntax::hir::{Class, Hir, HirKind};

/// Some characters that are more than one byte, or more than one UTF-16 unit.
const ODD: [char; 8] = ['é', 'ß', '€', '😀', '٣', '中', '\u{301}', '\n'];

/// A text that matches the pattern; its look-arounds are only `^` and `$`.
pub(crate) fn matching(chance: &mut Chance, pattern: &str) -> String {
    thread_local! {
        static PARSED: RefCell<HashMap<String, Rc<Hir>>> = RefCell::default();
    }
    let parsed = PARSED.with_borrow_mut(|parsed| {
        let parse = || Rc::new(regex_syntax::parse(pattern).unwrap());
        Rc::clone(parsed.entry(pattern.to_owned()).or_insert_with(parse))
    });
    let mut text = String::new();
    write(chance, &parsed, &mut text);
    text
}

fn write(chance: &mut Chance, hir: &Hir, text: &mut String) {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(std::str::from_utf8(&literal.0).unwrap()),
        HirKind::Class(Class::Unicode(class)) => {
            let odd = ODD.iter().find(|odd| {
                chance.one_in(20) && class.iter().any(|range| (range.start()..=range.end()).contains(*odd))
            });
            let ranges: Vec<_> = class.iter().filter(|range| range.start() <= '~').collect();
            let Some(range) = chance.choose(&ranges) else { return };
            let (start, end) = (u32::from(range.start()).max(32), u32::from(range.end()).min(126));
            let number = if start <= end {
                chance.of(start.into(), end.into()) as u32
            } else {
                u32::from(range.start())
            };
            text.push(*odd.unwrap_or(&char::from_u32(number).unwrap()));
        }
        HirKind::Class(Class::Bytes(class)) => text.push(char::from(class.ranges()[0].start())),
        HirKind::Repetition(repetition) => {
            let least = repetition.min;
            let more = repetition.max.unwrap_or(u32::MAX).saturating_sub(least);
            let more = if chance.one_in(10) { more.min(70) } else { more.min(4) };
            for _ in 0..least + chance.of(0, more.into()) as u32 {
                write(chance, &repetition.sub, text);
            }
        }
        HirKind::Capture(capture) => write(chance, &capture.sub, text),
        HirKind::Concat(parts) => parts.iter().for_each(|part| write(chance, part, text)),
        HirKind::Alternation(cases) => {
            if let Some(case) = chance.choose(cases) {
                write(chance, case, text);
            }
        }
    }
}

/// Any text with this number of characters.
pub(crate) fn any(chance: &mut Chance, length: u64) -> String {
    let mut one = |_| {
        if chance.one_in(4) { *chance.choose(&ODD).unwrap() } else { char::from(chance.of(32, 126) as u8) }
    };
    (0..length).map(&mut one).collect()
}

pub(crate) fn of_format(chance: &mut Chance, format: &str) -> Option<String> {
    let day = |chance: &mut Chance| {
        let year = *chance.choose(&[0, 1900, 2024, 2025, 2026, 2027, 9999]).unwrap();
        format!("{year:04}-{:02}-{:02}", chance.of(1, 12), chance.of(1, 28))
    };
    match format {
        "date" => Some(if chance.one_in(5) { "2024-02-29".to_owned() } else { day(chance) }),
        "date-time" => {
            let places = *chance.choose(&["", ".5", ".123456789", ".000"]).unwrap();
            let zone = *chance.choose(&["Z", "+00:00", "-00:00", "+02:00", "-23:59", "+23:59"]).unwrap();
            Some(format!("{}T{:02}:{:02}:59{places}{zone}", day(chance), chance.of(0, 23), chance.of(0, 59)))
        }
        "uuid" => Some(matching(chance, "[0-9a-fA-F]{8}-[0-9a-f]{4}-[0-9A-F]{4}-[0-9a-f]{4}-[0-9a-f]{12}")),
        _ => None,
    }
}
