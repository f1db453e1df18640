//! Processes that take a value of each kind, files, secrets, or a yes.

use std::io;
use std::time::Duration;

use jiff::civil::{Date, DateTime, Time, date};
use jiff::{SignedDuration, Timestamp};
use process_runtime::field::{Email, FieldErrors};
use process_runtime::prelude::*;
use serde::Serialize;
use tokio::io::AsyncReadExt as _;
use url::Url;
use uuid::Uuid;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Field)]
pub enum Delivery {
    /// To the door
    Door,
    Shop,
    #[field(value = "none")]
    Nothing,
}

#[derive(Debug, Clone, PartialEq, Eq, Field)]
pub struct Address {
    pub street: String,
    #[field(pattern = "[0-9]{5}", pattern_message = "Enter the five digits of the code")]
    pub zip: String,
    pub floors: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq, Field)]
pub struct Line {
    pub article: String,
    #[field(min = 1, default = 1)]
    pub quantity: u32,
}

/// Takes a value of each kind.
#[process(title = "Ordering", group = "fields", validate = check_order)]
#[expect(clippy::too_many_arguments, reason = "one of each kind is the point of it")]
pub async fn order(
    #[field(min_len = 2, max_len = 40)] name: String,
    #[field(multiline, default = "")] note: String,
    #[field(default = '€')] sign: char,
    #[field(default = 9_007_199_254_740_993)] number: u64,
    huge: Option<u128>,
    #[field(min = 0.0, max = 100.0, step = 0.5, default = 0.0)] percent: f64,
    limit: Option<f64>,
    only_check: bool,
    subscribed: Option<bool>,
    #[field(default = date(2026, 1, 1))] from: Date,
    until: Option<Date>,
    at: Option<Time>,
    meeting: Option<DateTime>,
    deadline: Option<Timestamp>,
    #[field(default = Duration::from_secs(90), max = Duration::from_secs(86_400))] pause: Duration,
    shift: Option<SignedDuration>,
    id: Option<Uuid>,
    website: Option<Url>,
    email: Option<Email>,
    delivery: Delivery,
    deliveries: Vec<Delivery>,
    #[field(max_len = 5)] tags: Vec<String>,
    floors: Vec<u8>,
    address: Address,
    second_address: Option<Address>,
    lines: Vec<Line>,
) {
    log(format!("{name} {note} {sign} {number} {huge:?} {percent} {limit:?} {only_check} {subscribed:?}"));
    log(format!("{from} {until:?} {at:?} {meeting:?} {deadline:?} {pause:?} {shift:?} {id:?} {website:?}"));
    log(format!("{email:?} {delivery:?} {deliveries:?} {tags:?} {floors:?} {address:?}"));
    log(format!("{second_address:?} {lines:?}"));
}

/// Validates the fields together: an error at one field and one for the form.
fn check_order(input: &OrderInput) -> Result<(), FieldErrors> {
    if input.until.is_some_and(|until| until < input.from) {
        return Err(FieldErrors::at("until", "the end is before the beginning"));
    }
    if input.only_check && input.lines.len() > 1 {
        return Err(FieldErrors::from("only one line can be checked at a time")
            .and("lines.1.quantity", "this one is too much"));
    }
    Ok(())
}

/// A file with a description.
#[derive(Debug, Clone, PartialEq, Eq, Field)]
pub struct Document {
    #[field(default = "")]
    pub title: String,
    pub file: Upload,
}

#[derive(Debug, Serialize)]
pub struct Taken {
    pub names: Vec<String>,
    pub bytes: u64,
    /// How each file begins.
    pub beginnings: Vec<String>,
}

/// Takes files, and reads all of them.
#[process(title = "Taking files", group = "fields")]
pub async fn takes_files(
    #[field(max_size = 16 << 30)] file: Option<Upload>,
    #[field(max_size = 1000, accept = ".txt")] small: Option<Upload>,
    more: Vec<Upload>,
    documents: Vec<Document>,
    #[field(default = "")] name: String,
    #[field(default = 0)] wait: u64,
) -> Result<Taken, io::Error> {
    log(format!("waiting for {name:?}"));
    tokio::time::sleep(Duration::from_millis(wait)).await;
    let mut taken = Taken { names: Vec::new(), bytes: 0, beginnings: Vec::new() };
    let documents = documents.into_iter().map(|document| document.file);
    for file in file.into_iter().chain(small).chain(more).chain(documents) {
        let mut reader = file.open().await?;
        let mut beginning = Vec::new();
        (&mut reader).take(100).read_to_end(&mut beginning).await?;
        let rest = tokio::io::copy(&mut reader, &mut tokio::io::sink()).await?;
        taken.bytes += beginning.len() as u64 + rest;
        taken.names.push(file.name().to_owned());
        taken.beginnings.push(String::from_utf8_lossy(&beginning).into_owned());
    }
    Ok(taken)
}

#[derive(Debug, Clone, Field)]
pub struct Login {
    pub user: String,
    pub token: Secret<String>,
}

/// Takes secrets in every position, and returns their lengths.
#[process(title = "Signing in", group = "fields")]
pub async fn signs_in(
    #[field(min_len = 8, max_len = 200)] password: Secret<String>,
    pin: Option<Secret<u64>>,
    codes: Vec<Secret<String>>,
    login: Option<Login>,
    #[field(default = 5)] count: u8,
    #[field(default = 0)] wait: u64,
) -> Result<Vec<usize>, String> {
    log(format!("{count}: {password:?} {pin:?} {codes:?} {login:?}"));
    tokio::time::sleep(Duration::from_millis(wait)).await;
    let mut lengths = vec![password.expose().len()];
    lengths.extend(pin.map(|pin| pin.expose().to_string().len()));
    lengths.extend(codes.iter().map(|code| code.expose().len()));
    lengths.extend(login.map(|login| login.token.into_inner().len()));
    Ok(lengths)
}

/// Has fields that are named like properties of a form in a browser, which they hide there.
#[process(title = "Hiding", group = "fields", confirm = "Really {action}?")]
#[allow(clippy::too_many_arguments, reason = "each is a property of its own")]
pub async fn hides_properties(
    action: String,
    elements: u32,
    children: Option<String>,
    submit: bool,
    append: bool,
    #[field(default = 1)] length: u8,
    method: Option<String>,
    #[field(max_size = 1_000)] dataset: Option<Upload>,
) {
    log(format!(
        "{action} {elements} {children:?} {submit} {append} {length} {method:?} {}",
        dataset.is_some()
    ));
}

/// Requires confirmation.
#[process(title = "Deleting", group = "fields", confirm = "Really delete \"everything\", {copies} times?")]
pub async fn deletes(#[field(default = 1)] copies: u8) {
    log(format!("{copies} copies"));
}

/// Takes every kind of input and requires confirmation: the input is validated and nothing is started.
#[process(title = "Everything", group = "fields", confirm = "Really?", validate = check_everything)]
#[expect(clippy::too_many_arguments, reason = "every kind is the point of it")]
pub async fn everything(
    text: Option<String>,
    #[field(pattern = "[a-z]+", max_len = 5)] word: Option<String>,
    sign: Option<char>,
    small: Option<i8>,
    number: Option<u64>,
    huge: Option<i128>,
    #[field(min = -1.0, max = 1.0, step = 0.1)] ratio: Option<f32>,
    #[field(choices = [1, 2, 3])] choice: Option<u8>,
    yes: bool,
    date: Option<Date>,
    time: Option<Time>,
    meeting: Option<DateTime>,
    moment: Option<Timestamp>,
    pause: Option<Duration>,
    #[field(min = SignedDuration::from_secs(-5))] shift: Option<SignedDuration>,
    id: Option<Uuid>,
    website: Option<Url>,
    email: Option<Email>,
    delivery: Option<Delivery>,
    deliveries: Vec<Delivery>,
    numbers: Vec<i64>,
    address: Option<Address>,
    lines: Vec<Line>,
    file: Option<Upload>,
    more: Vec<Upload>,
    documents: Vec<Document>,
    secret: Option<Secret<String>>,
    logins: Vec<Login>,
) {
    log(format!(
        "{text:?} {word:?} {sign:?} {small:?} {number:?} {huge:?} {ratio:?} {choice:?} {yes} {date:?}"
    ));
    log(format!("{time:?} {meeting:?} {moment:?} {pause:?} {shift:?} {id:?} {website:?} {email:?}"));
    log(format!("{delivery:?} {deliveries:?} {numbers:?} {address:?} {lines:?} {file:?} {more:?}"));
    log(format!("{documents:?} {secret:?} {logins:?}"));
}

fn check_everything(input: &EverythingInput) -> Result<(), FieldErrors> {
    if input.yes { Err("it is never right".into()) } else { Ok(()) }
}
