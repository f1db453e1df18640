//! Every type that is a field, every key of `#[field]`, and doc comments on parameters.
#![deny(warnings, missing_docs)]
#![allow(clippy::too_many_arguments)]

use std::time::Duration;

use jiff::civil::{Date, DateTime, Time, date};
use jiff::{SignedDuration, Timestamp};
use process_runtime::prelude::*;
use process_runtime::{
    Controller,
    field::{Email, Shape},
};

const MOST: u16 = 500;

#[process(title = "Numbers")]
async fn numbers(
    #[field(label = "Tiny", help = "A hint", default = -1, min = -5, max = 5, step = 2)] a: i8,
    #[field(min = 1, max = MOST, default = MOST / 2, placeholder = "250")] b: u16,
    #[field(choices = [1, 2, 3], radio, default = 2)] c: i32,
    #[field(default = u64::MAX)] d: u64,
    #[field(default = i128::MIN)] e: i128,
    #[field(min = 0.0, max = 1.0, step = 0.25)] f: f32,
    #[field(default = 2.5)] g: f64,
    h: u8,
    i: i16,
    j: u32,
    k: i64,
    l: u128,
    m: usize,
    n: isize,
) {
    let _ = (a, b, c, d, e, f, g, h, i, j, k, l, m, n);
}

#[process(title = "Texts")]
async fn texts(
    #[field(min_len = 2, max_len = 40, pattern = "[A-Z].*", placeholder = "Sale", default = "Sale")]
    a: String,
    #[field(multiline, default = String::new())] b: String,
    #[field(multiline = false)] c: String,
    #[field(choices = ["S", "M", "L"], default = "M", radio = true)] d: String,
    #[field(choices = vec!["S".to_owned()])] e: String,
    #[field(default = '€')] f: char,
    g: Email,
    #[field(min_len = 8, max_len = 64, placeholder = "sk-…")] h: Secret<String>,
) {
    let _ = (a, b, c, d, e, f, g, h);
}

#[process(title = "Times")]
async fn times(
    #[field(min = date(2026, 1, 1), max = date(2026, 12, 31), default = date(2026, 5, 1))] a: Date,
    b: Time,
    c: DateTime,
    d: Timestamp,
    #[field(default = Duration::from_secs(90), max = Duration::from_secs(120), placeholder = "90s")]
    e: Duration,
    f: SignedDuration,
) {
    let _ = (a, b, c, d, e, f);
}

#[process(title = "The rest")]
async fn rest(
    #[field(default = true)] a: bool,
    b: Option<bool>,
    #[field(default = 3, min = 1)] c: Option<u8>,
    #[field(default = "all")] d: Option<String>,
    #[field(min_len = 1, max_len = 5, placeholder = "tag", default = ["new", "sale"].map(Into::into).into())]
    e: Vec<String>,
    f: Vec<u8>,
    #[field(accept = ".csv,text/csv", max_size = 10 << 20)] g: Upload,
    h: Option<Upload>,
    i: Option<Secret<String>>,
) {
    let _ = (a, b, c, d, e, f, g, h, i);
}

#[process(title = "Documented")]
async fn documented(
    /// In percent,
    /// with a sign.
    percent: f64,
    /// Not shown.
    #[field(label = "Category", help = "Shown.")]
    category: String,
    /// Between two attributes.
    #[allow(unused_mut)]
    #[field(default = 1)]
    #[field(min = 1)]
    mut number: u8,
    /// What is injected may be described too.
    database: State<String>,
    /** As a block. */
    block: bool,
) {
    let _ = (percent, category, number, database, block);
}

fn main() {
    assert_eq!(Numbers::PROCESS.fields().len(), 14);
    assert!(matches!(Numbers::PROCESS.fields()[2].shape, Shape::Choice { radio: true, .. }));
    assert_eq!(Texts::PROCESS.fields()[0].default, Some("Sale".into()));
    assert_eq!(Times::PROCESS.fields()[0].default, Some("2026-05-01".into()));
    let rest = Rest::PROCESS.fields();
    assert_eq!(rest[2].default, Some(3.into()));
    assert_eq!(rest[4].default, Some(vec!["new", "sale"].into()));
    let help: Vec<_> = Documented::PROCESS.fields().iter().map(|field| field.help).collect();
    assert_eq!(
        help,
        [
            Some("In percent, with a sign."),
            Some("Shown."),
            Some("Between two attributes."),
            Some("As a block.")
        ]
    );
}
