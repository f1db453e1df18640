//! A process with one parameter of each kind, to see every input a form can have.

use std::time::Duration;

use jiff::civil::{Date, DateTime, Time, date};
use jiff::{SignedDuration, Timestamp};
use process_runtime::field::{Email, FieldErrors};
use process_runtime::prelude::*;
use serde::Serialize;
use url::Url;
use uuid::Uuid;

use crate::error::Error;

/// Where something is brought to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Field)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// To the door
    ///
    /// Between 8 and 18 o'clock.
    Door,
    /// To a shop nearby
    Shop,
    /// Not at all
    #[field(value = "none")]
    Nothing,
}

/// A colour to choose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Field)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each is called what it is")]
pub enum Colour {
    Red,
    Green,
    DarkBlue,
}

/// Where somebody lives.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Field)]
pub struct Address {
    /// With the number of the house.
    pub street: String,
    /// Five digits.
    #[field(
        label = "Postal code",
        pattern = "[0-9]{5}",
        pattern_message = "Enter five digits",
        placeholder = "12345"
    )]
    pub zip: String,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Serialize, Field)]
pub struct Line {
    /// The article's number
    pub article: String,
    #[field(min = 1, default = 1)]
    #[expect(missing_docs, reason = "its name says it")]
    pub quantity: u32,
}

/// The received values, except secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Received {
    /// The number of values.
    pub message: String,
    /// How many characters the secret has.
    pub secret_length: usize,
    /// The file's name.
    pub file: Option<String>,
    /// The bytes of the file that could be read.
    pub bytes: u64,
}

/// Takes one value of each kind and logs them.
#[process(title = "Try every input", group = "demo", validate = check_period)]
#[expect(clippy::too_many_arguments, reason = "one of each kind is the point of it")]
pub async fn kitchen_sink(
    /// As people call it.
    #[field(min_len = 2, max_len = 40, placeholder = "Summer sale")]
    name: String,
    #[field(multiline, default = "", help = "Any number of lines.")] note: String,
    #[field(label = "Size", choices = ["S", "M", "L"], default = "M")] size: String,
    #[field(default = '€')] sign: char,
    #[field(min = 1, max = 500, default = 10)] count: u16,
    #[field(help = "Exact, however large.", default = 9_007_199_254_740_993)] number: u64,
    #[field(min = 0.0, max = 100.0, step = 0.5)] percent: f64,
    limit: Option<i32>,
    #[field(label = "Only check")] only_check: bool,
    #[field(help = "Can be left open.")] subscribed: Option<bool>,
    #[field(default = date(2026, 1, 1))] from: Date,
    #[field(min = date(2026, 1, 1))] until: Option<Date>,
    at: Option<Time>,
    meeting: Option<DateTime>,
    deadline: Option<Timestamp>,
    #[field(default = Duration::from_secs(90), max = Duration::from_secs(86_400))] pause: Duration,
    shift: Option<SignedDuration>,
    id: Option<Uuid>,
    #[field(placeholder = "https://example.org")] website: Option<Url>,
    email: Email,
    #[field(radio)] delivery: Delivery,
    colour: Option<Colour>,
    colours: Vec<Colour>,
    #[field(max_len = 5)] tags: Vec<String>,
    address: Address,
    second_address: Option<Address>,
    #[field(label = "Order lines")] lines: Vec<Line>,
    #[field(label = "API key", min_len = 8)] api_key: Secret<String>,
    #[field(accept = ".csv,.txt", max_size = 1 << 20)] file: Option<Upload>,
) -> Result<Received, Error> {
    log(format!(
        "{name}, {size}, {sign}, {count}, {number}, {percent}, {limit:?}, {only_check}, {subscribed:?}"
    ));
    log(format!("{from}, {until:?}, {at:?}, {meeting:?}, {deadline:?}, {pause:?}, {shift:?}"));
    log(format!("{id:?}, {website:?}, {email}, {delivery:?}, {colour:?}, {colours:?}, {tags:?}"));
    log(format!("{address:?}, {second_address:?}, {lines:?}, {api_key:?}, {note:?}"));
    let mut bytes = 0;
    if let Some(file) = &file {
        let mut reader = file.open().await.map_err(Error::file("open", file.path()))?;
        bytes = tokio::io::copy(&mut reader, &mut tokio::io::sink())
            .await
            .map_err(Error::file("read", file.path()))?;
    }
    set_progress(100);
    Ok(Received {
        message: format!("{} tags, {} colours, {} lines", tags.len(), colours.len(), lines.len()),
        secret_length: api_key.expose().len(),
        file: file.map(|file| file.name().to_owned()),
        bytes,
    })
}

/// Validates the fields together.
fn check_period(input: &KitchenSinkInput) -> Result<(), FieldErrors> {
    match input.until {
        Some(until) if until < input.from => {
            Err(FieldErrors::at("until", format!("Must not be before the start ({})", input.from)))
        }
        _ => Ok(()),
    }
}
