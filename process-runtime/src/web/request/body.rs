//! Reads the body of a start: JSON, a form, or a form with files. Enforces the upload limit of each file, and the limits
//! on size, fields, parts and time of the whole body.

use std::error::Error;
use std::iter::successors;

use axum::body::Body;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use http_body_util::LengthLimitError;
use multer::{Field, Multipart};
use percent_encoding::percent_decode;
use serde_json::{Map, Value};
use tokio::io::AsyncWriteExt as _;

use crate::field::{FieldErrors, FieldInfo, Shape, Upload, json, too_large};
use crate::limits::Limits;
use crate::processes::Processes;
use crate::text::OneLine;
use crate::texts::{Message, Value as Said};
use crate::uploads::Staging;
use crate::web::request::form::Pair;
use crate::web::request::paced::paced;
use crate::web::request::problem::{Problem, excerpt};
use crate::web::request::timed::{Late, timed};
use crate::web::request::{form, input_limits};

/// The content of a body.
pub(in crate::web) struct Inputs {
    pub(in crate::web) values: Map<String, Value>,
    pub(in crate::web) files: Option<Staging>,
    /// Errors for what cannot be the value of a field.
    pub(in crate::web) errors: FieldErrors,
    /// Errors for values in JSON that the schema does not accept.
    pub(in crate::web) against_schema: FieldErrors,
    pub(in crate::web) is_form: bool,
}

impl Inputs {
    /// Reads a body. It stops at the first byte over a limit.
    pub(in crate::web) async fn read(
        processes: &Processes,
        fields: &[FieldInfo],
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Self, Problem> {
        let content_type =
            headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        check_charset(content_type)?;
        let limits = processes.limits();
        let most = limits.max_body_bytes as u64;
        let (body, late) = timed(body, limits);
        if media_type == "multipart/form-data" {
            let limit = limits.max_upload_bytes.saturating_add(most);
            check_length(headers, limit)?;
            return multipart(processes, fields, content_type, (body, late), limit).await;
        }
        check_length(headers, most)?;
        let body = whole((body, late), limits.max_body_bytes, limits).await?;
        let is_form = media_type == "application/x-www-form-urlencoded";
        let values = match media_type.as_str() {
            _ if body.is_empty() => Map::new(),
            "application/json" => json_of(&body)?,
            _ if is_form => {
                let pairs = pairs_of(&body).take(limits.max_values.saturating_add(1));
                let pairs = pairs.collect::<Result<Vec<Pair>, Problem>>()?;
                input_limits::check_pairs(&pairs, limits)?;
                form::values(fields, pairs)
            }
            _ => {
                return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "problem.media_type"));
            }
        };
        input_limits::check_values(&values, limits)?;
        let errors = input_limits::long_texts(fields, &values, limits);
        let against_schema = if is_form { FieldErrors::default() } else { json::check(fields, &values) };
        Ok(Self { values, files: None, errors, against_schema, is_form })
    }
}

/// A body whose declared length exceeds the limit is not read at all.
fn check_length(headers: &HeaderMap, limit: u64) -> Result<(), Problem> {
    let length = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > limit) { Err(over(limit)) } else { Ok(()) }
}

/// Reads a body of at most this many bytes.
pub(in crate::web) async fn short(body: Body, most: usize, limits: &Limits) -> Result<Bytes, Problem> {
    whole(timed(body, limits), most, limits).await
}

async fn whole((body, late): (Body, Late), most: usize, limits: &Limits) -> Result<Bytes, Problem> {
    let mut pieces = body.into_data_stream();
    let mut whole = BytesMut::new();
    while let Some(piece) = pieces.next().await {
        let piece =
            piece.map_err(|error| if late.is_late() { too_slow(limits) } else { broken_off(&error) })?;
        if whole.len() + piece.len() > most {
            return Err(over(most as u64));
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

/// The error for a body that did not end: the client disconnected or sent a malformed body, or a layer above stopped
/// it.
fn broken_off(error: &(dyn Error + 'static)) -> Problem {
    let mut causes = successors(Some(error), |&error| error.source());
    match causes.any(|cause| cause.is::<LengthLimitError>()) {
        true => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "problem.body_limit"),
        false => Problem::new(StatusCode::BAD_REQUEST, "problem.body_cut"),
    }
}

/// Rejects a declared charset other than UTF-8, which would be decoded to wrong characters.
fn check_charset(content_type: &str) -> Result<(), Problem> {
    let mut parameters = content_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let charset = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    let charset = charset.map_or("utf-8", |(_, charset)| charset.trim().trim_matches('"'));
    match ["utf-8", "utf8", "us-ascii"].iter().any(|known| known.eq_ignore_ascii_case(charset)) {
        true => Ok(()),
        false => Err(Problem::not_read("problem.charset", charset)),
    }
}

/// The names and values of a form; an error for a part that is not UTF-8.
fn pairs_of(body: &[u8]) -> impl Iterator<Item = Result<Pair, Problem>> {
    let decoded = |text: &[u8]| {
        let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
        String::from_utf8(percent_decode(&spaced).collect())
    };
    body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).map(move |pair| {
        let mut sides = pair.splitn(2, |byte| *byte == b'=');
        match [sides.next(), sides.next()].map(|side| decoded(side.unwrap_or_default())) {
            [Ok(name), Ok(value)] => Ok((name, form::text(&value))),
            [Ok(name), Err(_)] => Err(no_text(&name)),
            [Err(name), _] => Err(no_text(&String::from_utf8_lossy(name.as_bytes()))),
        }
    })
}

fn no_text(name: &str) -> Problem {
    unreadable(Message::new("problem.no_text").with("name", format!("{:?}", excerpt(name))))
}

fn unreadable(error: impl Into<Said>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, Message::new("problem.no_form").with("error", error))
}

fn over(limit: u64) -> Problem {
    let detail = Message::new("problem.body_too_long").with("limit", limit.to_string());
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail)
}

/// The error for a body that arrived too slowly.
fn too_slow(limits: &Limits) -> Problem {
    let detail = Message::new("problem.slow_body").with("rate", limits.min_body_bytes_per_second);
    Problem::new(StatusCode::REQUEST_TIMEOUT, detail)
}

fn json_of(body: &[u8]) -> Result<Map<String, Value>, Problem> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(values)) => Ok(values),
        Ok(_) => Err(Problem::new(StatusCode::BAD_REQUEST, "problem.no_object")),
        Err(error) => {
            let detail = Message::new("problem.no_json").with("error", error.to_string());
            Err(Problem::new(StatusCode::BAD_REQUEST, detail))
        }
    }
}

/// Reads a multipart form. Files are written to disk as they arrive.
async fn multipart(
    processes: &Processes,
    fields: &[FieldInfo],
    content_type: &str,
    (body, late): (Body, Late),
    limit: u64,
) -> Result<Inputs, Problem> {
    let limits = processes.limits();
    let (body, pace) = paced(body);
    let broken = |error: multer::Error| match error {
        _ if late.is_late() => too_slow(limits),
        _ if pace.is_lost() => Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "problem.long_head"),
        multer::Error::StreamReadFailed(error) => broken_off(&*error),
        error => unreadable(excerpt(&error.to_string())),
    };
    let boundary = multer::parse_boundary(content_type).map_err(broken)?;
    let mut parts = Multipart::new(body, boundary);
    let mut staging = processes.uploads().stage();
    let mut pairs: Vec<Pair> = Vec::new();
    let (mut texts, mut all) = (0, 0);
    let mut errors = FieldErrors::default();
    while let Some(mut part) = parts.next_field().await.map_err(broken)? {
        pace.caught_up();
        if pairs.len() + errors.len() >= limits.max_parts {
            let detail = Message::new("problem.parts").with("most", limits.max_parts.to_string());
            return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
        }
        let Some(name) = part.name().map(str::to_owned) else {
            return Err(unreadable(Message::new("problem.no_name")));
        };
        check_part(&part)?;
        input_limits::check_names([&name], limits)?;
        let Some(file_name) = part.file_name().map(written_in_header) else {
            let mut text = Vec::new();
            while let Some(chunk) = part.chunk().await.map_err(broken)? {
                pace.caught_up();
                texts += chunk.len();
                if texts > limits.max_body_bytes {
                    return Err(over(limits.max_body_bytes as u64));
                }
                if text.len() + chunk.len() > limits.max_field_bytes {
                    return Err(Problem::of_fields(input_limits::too_long(&name, limits)));
                }
                text.extend_from_slice(&chunk);
            }
            let text = String::from_utf8(text).map_err(|_| no_text(&name))?;
            pairs.push((name, form::text(&text)));
            continue;
        };
        let max_size = max_size_of(fields, &name);
        let kind = part.content_type().map(ToString::to_string);
        let mut size = 0_u64;
        let mut open = None;
        while let Some(chunk) = part.chunk().await.map_err(broken)? {
            pace.caught_up();
            (size, all) = (size + chunk.len() as u64, all + chunk.len() as u64);
            if max_size.is_some_and(|most| size > most) {
                let errors = too_large(max_size.unwrap_or_default()).within(&name);
                return Err(Problem::too_large(errors));
            }
            if all > limit {
                return Err(over(limit));
            }
            // A file for a field without files is reported as an error and not saved. An input without a file sends an
            // empty one.
            if max_size.is_none() || chunk.is_empty() {
                continue;
            }
            let (file, _) = match &mut open {
                Some(open) => open,
                none => none.insert(staging.create().await.map_err(|error| Problem::of_files(&error))?),
            };
            file.write_all(&chunk).await.map_err(|error| Problem::of_files(&error))?;
        }
        // An input without a file sends a part without a file name.
        if file_name.is_empty() && size == 0 {
            pairs.push((name, Value::from("")));
            continue;
        }
        if max_size.is_none() {
            errors.extend(FieldErrors::from(Message::new("field.no_file")).within(&name));
            continue;
        }
        let (file, path) = match open {
            Some(open) => open,
            None => staging.create().await.map_err(|error| Problem::of_files(&error))?,
        };
        file.sync_all().await.map_err(|error| Problem::of_files(&error))?;
        let value = staging.add(Upload::new(&file_name, kind.as_deref(), size, path));
        pairs.push((name, value));
    }
    let values = form::values(fields, pairs);
    let against_schema = FieldErrors::default();
    Ok(Inputs { values, files: Some(staging), errors, against_schema, is_form: true })
}

/// A file name as it was before it was written into a header: the HTML standard escapes what would end it, and nothing else.
fn written_in_header(name: &str) -> String {
    name.replace("%22", "\"").replace("%0D", "\r").replace("%0A", "\n")
}

/// Rejects a part with a transfer encoding, or a text that is not UTF-8.
fn check_part(part: &Field<'_>) -> Result<(), Problem> {
    let header = |name: &str| part.headers().get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if part.file_name().is_none() {
        check_charset(header("content-type").unwrap_or_default())?;
    }
    let encoding = header("content-transfer-encoding").unwrap_or("binary");
    match ["7bit", "8bit", "binary"].iter().any(|known| known.eq_ignore_ascii_case(encoding)) {
        true => Ok(()),
        false => Err(Problem::not_read("problem.content_encoding", encoding)),
    }
}

/// The size limit of a file in the field of this name; `None` if the field takes no file.
fn max_size_of(fields: &[FieldInfo], name: &str) -> Option<u64> {
    let (first, rest) = name.split_once('.').unwrap_or((name, ""));
    let field = fields.iter().find(|field| field.name == first)?;
    let mut shape = &field.shape;
    let mut rest = rest;
    loop {
        match shape {
            Shape::Upload { max_size, .. } if rest.is_empty() => return Some(*max_size),
            Shape::List { item, .. } => {
                if matches!(**item, Shape::Group(_)) {
                    rest = rest.split_once('.')?.1;
                }
                shape = item;
            }
            Shape::Group(fields) => return max_size_of(fields, rest),
            _ => return None,
        }
    }
}

impl Problem {
    /// A file exceeded the limit of its field.
    fn too_large(errors: FieldErrors) -> Self {
        let mut problem = Self::of_fields(errors);
        problem.status = StatusCode::PAYLOAD_TOO_LARGE;
        problem.detail = "problem.file_too_large".into();
        problem
    }

    /// The error for a file that could not be saved. The reason goes to the operator's log.
    pub(in crate::web) fn of_files(error: &std::io::Error) -> Self {
        tracing::error!("could not save a file: {}", OneLine(&error));
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "problem.file")
    }
}
