//! Bodies as browsers and programs write them, in no code of the reader's.

use reqwest::{RequestBuilder, Response};
use serde_json::Value;

use crate::Server;
use crate::server::json;

const BOUNDARY: &str = "----geckoformboundary7e57c0de";

/// A form with files.
#[derive(Debug, Default, Clone)]
pub struct Multipart(Vec<u8>);

impl Multipart {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn content_type() -> String {
        format!("multipart/form-data; boundary={BOUNDARY}")
    }

    #[must_use]
    pub fn text(self, name: &str, value: &str) -> Self {
        self.part(&format!("Content-Disposition: form-data; name=\"{name}\""), value.as_bytes())
    }

    #[must_use]
    pub fn file(self, name: &str, file_name: &str, content: &[u8]) -> Self {
        let head = format!("Content-Disposition: form-data; name=\"{name}\"; filename=\"{file_name}\"");
        self.part(&format!("{head}\r\nContent-Type: text/plain"), content)
    }

    /// A part with these header lines.
    #[must_use]
    pub fn part(mut self, head: &str, content: &[u8]) -> Self {
        self.0.extend_from_slice(format!("--{BOUNDARY}\r\n{head}\r\n\r\n").as_bytes());
        self.0.extend_from_slice(content);
        self.0.extend_from_slice(b"\r\n");
        self
    }

    /// The beginning of the body, without its end.
    pub fn unfinished(self) -> Vec<u8> {
        self.0
    }

    pub fn finished(mut self) -> Vec<u8> {
        self.0.extend_from_slice(format!("--{BOUNDARY}--\r\n").as_bytes());
        self.0
    }
}

/// Pairs as the body of a form without files, and as a query.
pub fn urlencoded(pairs: &[(&str, &str)]) -> String {
    let mut url = url::Url::parse("http://x").unwrap();
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().unwrap_or_default().to_owned()
}

impl Server {
    pub fn form(&self, route: &str, pairs: &[(&str, &str)]) -> RequestBuilder {
        let request = self.post(&format!("/{route}/start"));
        request.header("content-type", "application/x-www-form-urlencoded").body(urlencoded(pairs))
    }

    pub fn multipart(&self, route: &str, form: Multipart) -> RequestBuilder {
        let request = self.post(&format!("/{route}/start"));
        request.header("content-type", Multipart::content_type()).body(form.finished())
    }

    pub fn json(&self, route: &str, input: &Value) -> RequestBuilder {
        let request = self.post(&format!("/{route}/start"));
        request.header("content-type", "application/json").body(input.to_string())
    }
}

/// The answer of a start, as programs get it.
pub async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.header("accept", "application/json").send().await.unwrap();
    (response.status().as_u16(), json(response).await)
}

/// The answer of a start, as browsers get it.
pub async fn page(request: RequestBuilder) -> (u16, String) {
    let response: Response = request.header("accept", "text/html").send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

/// The run that was started, as JSON.
pub async fn started(request: RequestBuilder) -> Value {
    let (status, run) = answer(request).await;
    assert_eq!(status, 201, "{run}");
    run
}

/// The errors of a refused start, with their paths.
pub async fn errors(request: RequestBuilder) -> Vec<(String, String)> {
    let (status, problem) = answer(request).await;
    assert_eq!(status, 422, "{problem}");
    errors_of(&problem)
}

pub fn errors_of(problem: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let errors = problem["errors"].as_array().into_iter().flatten();
    errors.map(|error| (text(&error["field"]), text(&error["message"]))).collect()
}

/// The paths of errors.
pub fn places(errors: &[(String, String)]) -> Vec<&str> {
    errors.iter().map(|(place, _)| place.as_str()).collect()
}

/// What a browser would send for the form of a page as it stands, without its buttons and files.
pub fn pairs(page: &str) -> Vec<(String, String)> {
    let form = page.split("data-start").nth(1).unwrap().split("</form>").next().unwrap();
    let mut pairs = Vec::new();
    let mut select = String::new();
    for part in form.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap();
        let attribute = |name: &str| {
            let value = tag.split_once(&format!(" {name}=\""));
            value.map(|(_, rest)| unescaped(rest.split('"').next().unwrap()))
        };
        let is = |word: &str| tag.split([' ', '"']).any(|one| one == word);
        let is_box = is("checkbox") || is("radio");
        let (name, value) = (attribute("name"), attribute("value").unwrap_or_default());
        match tag.split(' ').next().unwrap() {
            "input" if is("file") || (is_box && !is("checked")) => {}
            "input" => pairs.push((name.unwrap(), value)),
            "textarea" => pairs.push((name.unwrap(), unescaped(text.strip_prefix('\n').unwrap_or(text)))),
            "select" => select = name.unwrap(),
            "option" if is("selected") => pairs.push((select.clone(), value)),
            _ => {}
        }
    }
    pairs
}

fn unescaped(text: &str) -> String {
    let plain = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    plain.replace("&amp;", "&")
}
