//! Parses the page of a run as a browser does, and compares it with the run's JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::LazyLock;

use html5gum::{Token, Tokenizer};
use serde_json::Value;

/// The English texts of the pages, by key.
static WORDS: LazyLock<Value> = LazyLock::new(|| {
    let catalog = concat!(env!("CARGO_MANIFEST_DIR"), "/../process-runtime/texts/en.json");
    serde_json::from_str(&std::fs::read_to_string(catalog).unwrap()).unwrap()
});

/// Elements that have no end.
const VOID: [&str; 8] = ["input", "meta", "link", "br", "hr", "img", "source", "wbr"];

/// One element with its attributes, and where its text is in that of the page.
#[derive(Debug)]
struct Tag {
    name: String,
    attributes: BTreeMap<String, String>,
    text: Range<usize>,
    /// The element around it, by number.
    parent: Option<usize>,
}

/// The elements of a page in order, and its text. Memory is bounded by the size of the page.
pub(super) struct Page {
    tags: Vec<Tag>,
    text: String,
}

/// An element in its page.
#[derive(Clone, Copy)]
pub(super) struct Element<'a> {
    page: &'a Page,
    at: usize,
}

impl<'a> Element<'a> {
    fn tag(self) -> &'a Tag {
        &self.page.tags[self.at]
    }

    fn is(self, name: &str) -> bool {
        self.tag().name == name
    }

    pub(super) fn get(self, name: &str) -> Option<&'a str> {
        self.tag().attributes.get(name).map(String::as_str)
    }

    /// All text in it.
    fn text(self) -> &'a str {
        &self.page.text[self.tag().text.clone()]
    }

    /// Itself and the elements around it, from the inside.
    fn around(self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self), |inner| Some(Self { at: inner.tag().parent?, ..*inner }))
    }

    /// Whether the element is hidden.
    fn is_hidden(self) -> bool {
        self.around().any(|element| element.get("hidden").is_some() || element.is("noscript"))
    }
}

impl Page {
    pub(super) fn read(html: &str) -> Self {
        let read = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut page = Self { tags: Vec::new(), text: String::new() };
        let mut open: Vec<usize> = Vec::new();
        for Ok(token) in Tokenizer::new(html) {
            match token {
                Token::StartTag(tag) => {
                    let name = read(&tag.name);
                    let attributes = tag.attributes.iter();
                    let attributes =
                        attributes.map(|(name, value)| (read(name), read(&value.value))).collect();
                    let has_end = !tag.self_closing && !VOID.contains(&name.as_str());
                    let (text, parent) = (page.text.len()..page.text.len(), open.last().copied());
                    page.tags.push(Tag { name, attributes, text, parent });
                    open.extend(has_end.then_some(page.tags.len() - 1));
                }
                Token::EndTag(tag) => {
                    let name = read(&tag.name);
                    let ended = open.iter().rposition(|at| page.tags[*at].name == name);
                    for at in open.drain(ended.unwrap_or(open.len())..) {
                        page.tags[at].text.end = page.text.len();
                    }
                }
                Token::String(text) => page.text += &read(&text.value),
                _ => {}
            }
        }
        open.into_iter().for_each(|at| page.tags[at].text.end = page.text.len());
        page
    }

    pub(super) fn all(&self) -> impl Iterator<Item = Element<'_>> {
        (0..self.tags.len()).map(|at| Element { page: self, at })
    }

    fn part(&self, part: &str) -> Option<Element<'_>> {
        self.all().find(|element| element.get("data-part") == Some(part))
    }

    /// The text of the section of this class.
    fn section(&self, class: &str) -> Option<&str> {
        let mut sections = self.all().filter(|element| element.is("section"));
        sections.find(|section| section.get("class") == Some(class)).map(Element::text)
    }

    /// The requests of all visible, enabled buttons, such as `retry?from=start`.
    pub(super) fn offered(&self) -> BTreeSet<String> {
        let buttons =
            self.all().filter(|element| element.is("button") && element.get("type") == Some("submit"));
        let pressed = buttons.filter(|button| !button.is_hidden() && button.get("disabled").is_none());
        let asked = pressed.filter_map(|button| {
            let form = button.around().find(|around| around.is("form"))?;
            let action = form.get("action").filter(|_| form.get("method") == Some("post"))?;
            action.rsplit('/').next().map(str::to_owned)
        });
        asked.collect()
    }

    /// The value of the field with this name, as a browser sends it.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.all()
            .filter(|element| element.get("name") == Some(name))
            .find_map(|element| element.get("value"))
    }

    /// The runs of a table, each with its id and the label of its state.
    pub(super) fn rows(&self) -> Vec<(&str, &str)> {
        let states = self.all().filter(|element| element.get("class") == Some("status"));
        let row = |state: Element<'_>| state.around().find(|around| around.is("tr")).map(|row| row.at);
        let states = states.filter_map(|state| Some((row(state)?, state.text())));
        let links =
            self.all().filter_map(|link| Some((row(link)?, link.get("href")?.strip_prefix("/runs/")?)));
        let links: BTreeMap<usize, &str> = links.collect();
        states.filter_map(|(row, state)| Some((*links.get(&row)?, state))).collect()
    }

    /// Describes how the page of a run differs from its JSON, if it does.
    pub(super) fn contradicts(&self, run: &Value) -> Option<String> {
        // A browser collapses white space.
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let differs = |what: &str, shown: &str, told: &str| {
            (words(shown) != words(told))
                .then(|| format!("the page shows {what} {shown:?}, where JSON says {told:?}"))
        };
        let status = run["status"].as_str().unwrap_or_default();
        let shown = self.all().find(|element| element.get("data-run") == run["id"].as_str());
        let shown = shown.and_then(|article| article.get("data-status")).unwrap_or_default();
        let text = |part: &str| self.part(part).map_or("", Element::text);
        differs("the status", shown, status)
            .or_else(|| differs("the word", text("status"), word(run)))
            .or_else(|| differs("the title", text("title"), run["title"].as_str().unwrap_or_default()))
            .or_else(|| self.percent(run, text("percent")))
            .or_else(|| differs("warnings", &self.warnings(), &warnings(run).to_string()))
            .or_else(|| self.outcome(run))
            .or_else(|| {
                let links = run["links"].as_object()?;
                let of_link = |what: &String| what.split('?').next().unwrap_or_default().to_owned();
                let more = self.offered().into_iter().find(|what| !links.contains_key(&of_link(what)))?;
                Some(format!("the page offers {more:?}, and JSON has no link for it"))
            })
    }

    /// The percentage is that of the JSON; only a success is complete.
    fn percent(&self, run: &Value, shown: &str) -> Option<String> {
        let told = run["percent"].as_f64();
        let has_succeeded = run["status"] == "succeeded";
        let figure = shown.split('%').next().filter(|_| shown.contains('%'));
        let figure = figure.and_then(|figure| figure.trim().parse::<f64>().ok());
        let full = self.part("bar").and_then(|bar| bar.get("value")?.parse::<f64>().ok());
        let (least, most) = match told {
            _ if has_succeeded => (100.0, 100.0),
            Some(told) => (told.floor(), told),
            None => return figure.map(|_| format!("the page shows {shown:?}, and JSON no percent")),
        };
        let holds = figure.is_none_or(|figure| least <= figure && figure <= most)
            && full.is_some_and(|full| (full - most).abs() <= 1.01)
            && (figure.is_some() || !has_succeeded);
        (!holds).then(|| format!("the page shows {shown:?} and a bar of {full:?}, where JSON says {told:?}"))
    }

    fn warnings(&self) -> String {
        let mut entries = self.all().filter(|entry| entry.is("li"));
        let warned = entries.find(|entry| entry.get("data-status") == Some("warned"));
        let figure = warned.and_then(|entry| entry.text().split_whitespace().next());
        figure.unwrap_or("0").replace(',', "")
    }

    /// An error or a result is shown if and only if there is one.
    fn outcome(&self, run: &Value) -> Option<String> {
        let (failure, error) = (self.section("failure"), run["error"].as_str());
        let first = error.map(|error| error.trim_end().lines().next().unwrap_or_default().trim());
        if failure.is_some() != error.is_some()
            || !failure.unwrap_or_default().contains(first.unwrap_or_default())
        {
            return Some(format!("the page shows the failure {failure:?}, where JSON says {error:?}"));
        }
        let (result, told) = (self.section("result"), &run["result"]);
        let message = told["message"].as_str().or(told.as_str()).unwrap_or_default();
        let word = message.split_whitespace().next().unwrap_or_default();
        let holds = (told.is_null() || result.is_some()) && result.unwrap_or_default().contains(word);
        (!holds).then(|| format!("the page shows the result {result:?}, where JSON says {told}"))
    }
}

/// The label of a run's state, by its JSON.
pub(super) fn word(run: &Value) -> &'static str {
    let key = match run["status"].as_str().unwrap_or_default() {
        "running" if run["pausing"] == true => "pausing",
        "running" if run["stalled"] == true => "stalled",
        "queued" if !run["due_at"].is_null() => "retrying",
        "succeeded" if run["warnings"] != 0 => "warned",
        status => status,
    };
    WORDS[format!("status.{key}")].as_str().unwrap_or_default()
}

/// Warnings that are not counted as failed items.
fn warnings(run: &Value) -> u64 {
    let failed = run["counts"]["failed"].as_u64().unwrap_or_default();
    run["warnings"].as_u64().unwrap_or_default().saturating_sub(failed)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Page;

    const SHOWN: &str = r#"<article class=run data-run="7" data-status="failed"><h1 data-part="title">A &amp; B</h1>
        <span data-part="status">Failed</span><strong data-part="percent">42 %</strong>
        <progress data-part="bar" value="42.40"></progress><ul><li data-status="warned"><b>1,002</b> warnings</ul>
        <form method="post" action="/runs/7/retry"><button type="submit">Retry</button></form>
        <form method="post" action="/runs/7/pause" hidden><button type="submit">Pause</button></form>
        <section class="failure"><p class="message">the disk is &lt;full&gt;</p></section></article>"#;

    #[test]
    fn unclosed_tags_cost_little() {
        let page = Page::read(&"<b>x".repeat(100_000));
        assert_eq!((page.tags.len(), page.text.len()), (100_000, 100_000));
    }

    #[test]
    fn rows_are_read_with_status() {
        let table = r#"<table><tr><th>Run</th></tr><tr><td><a href="/runs/7">A</a></td>
            <td><span class="status">Failed</span></td></tr></table>"#;
        assert_eq!(Page::read(table).rows(), [("7", "Failed")]);
    }

    #[test]
    fn page_must_agree_with_json() {
        let told = json!({
            "id": "7", "status": "failed", "title": "A & B", "percent": 42.4, "warnings": 1_005,
            "counts": { "failed": 3 }, "error": "the disk is <full>\nand more", "result": null,
            "links": { "retry": "" },
        });
        let page = Page::read(SHOWN);
        assert_eq!(page.contradicts(&told), None);
        assert_eq!(page.offered().into_iter().collect::<Vec<_>>(), ["retry"]);
        for (name, value) in [
            ("status", json!("succeeded")),
            ("title", json!("A")),
            ("percent", json!(43.5)),
            ("percent", json!(null)),
            ("warnings", json!(3)),
            ("error", json!(null)),
            ("result", json!("done")),
            ("links", json!({})),
        ] {
            let mut other = told.clone();
            other[name] = value;
            assert!(page.contradicts(&other).is_some(), "{name}: {other}");
        }
    }
}
