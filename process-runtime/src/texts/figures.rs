//! How a language writes numbers, percentages, sizes and durations. Chromium's `Intl` writes the same numbers.

use super::Texts;

/// Each a thousand times the one before.
const SIZES: [&str; 5] =
    ["size.kilobytes", "size.megabytes", "size.gigabytes", "size.terabytes", "size.petabytes"];

impl Texts {
    /// `1234567` → `1,234,567`.
    pub(crate) fn whole(&self, number: u64) -> String {
        self.grouped(&number.to_string())
    }

    /// The digits of a number, with the language's signs: `-1234.5` → `-1,234.5`.
    pub(crate) fn grouped(&self, digits: &str) -> String {
        // Spanish sets no sign into four digits, only into more.
        let least = self.text("number.grouped_from").parse().unwrap_or(4);
        self.figure(digits, least)
    }

    /// The same without groups.
    pub(crate) fn plain(&self, digits: &str) -> String {
        self.figure(digits, usize::MAX)
    }

    fn figure(&self, digits: &str, grouped_from: usize) -> String {
        let (sign, unsigned) =
            digits.strip_prefix('-').map_or(("", digits), |rest| (self.text("number.minus"), rest));
        let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
        let mut out = sign.to_owned();
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index) % 3 == 0 && whole.len() >= grouped_from {
                out.push_str(self.text("number.group"));
            }
            out.push(digit);
        }
        if !fraction.is_empty() {
            out.push_str(self.text("number.decimal"));
            out.push_str(fraction);
        }
        out
    }

    /// `42 %`, rounded down: 99.9 % is not done.
    pub(crate) fn percent(&self, percent: f64) -> String {
        self.with("percent", &[("n", &self.grouped(&percent.floor().to_string()))])
    }

    /// The duration of a run in its two largest units: `12 s`, `3 m 5 s`, `2 h 7 m`. Below ten seconds, ended runs have
    /// tenths.
    pub(crate) fn duration(&self, ms: u64, ended: bool) -> String {
        let seconds = ms / 1000;
        match seconds {
            0..=9 if ended => {
                let tenths = self.plain(&format!("{seconds}.{}", ms % 1000 / 100));
                self.with("duration.seconds", &[("n", &tenths)])
            }
            0..=59 => self.part("duration.seconds", seconds),
            60..=3599 => self.parts(("duration.minutes", seconds / 60), ("duration.seconds", seconds % 60)),
            _ => self.parts(("duration.hours", seconds / 3600), ("duration.minutes", seconds / 60 % 60)),
        }
    }

    fn part(&self, key: &str, number: u64) -> String {
        self.with(key, &[("n", &self.whole(number))])
    }

    /// A unit that is zero is omitted.
    fn parts(&self, first: (&str, u64), second: (&str, u64)) -> String {
        let larger = self.part(first.0, first.1);
        match second.1 {
            0 => larger,
            number => {
                let smaller = self.part(second.0, number);
                self.with("duration.and", &[("first", &larger), ("second", &smaller)])
            }
        }
    }

    /// `512 bytes`, `1.4 MB`: decimal units, as file managers show them.
    pub(crate) fn size(&self, bytes: u64) -> String {
        if bytes < 1000 {
            return self.counted("size.bytes", bytes);
        }
        let mut amount = bytes as f64 / 1000.0;
        let mut unit = 0;
        while amount >= 999.95 && unit + 1 < SIZES.len() {
            amount /= 1000.0;
            unit += 1;
        }
        let digits = format!("{amount:.1}");
        let digits = digits.strip_suffix(".0").unwrap_or(&digits);
        self.with(SIZES[unit], &[("n", &self.grouped(digits))])
    }
}
