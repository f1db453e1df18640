//! What the page of a run shows, read as a browser reads it, and whether that is what its JSON says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use html5gum::{Token, Tokenizer};
use serde_json::Value;

/// The texts of the pages in English: what is shown is named by its key here.
static WORDS: LazyLock<Value> = LazyLock::new(|| {
    let catalog = concat!(env!("CARGO_MANIFEST_DIR"), "/../process-runtime/texts/en.json");
    serde_json::from_str(&std::fs::read_to_string(catalog).unwrap()).unwrap()
});

/// Elements that have no end.
const VOID: [&str; 8] = ["input", "meta", "link", "br", "hr", "img", "source", "wbr"];

/// One element with its attributes and all text in it.
#[derive(Debug)]
pub(super) struct Element {
    pub(super) name: String,
    attributes: BTreeMap<String, String>,
    pub(super) text: String,
    /// The elements around it, by number.
    around: Vec<usize>,
}

impl Element {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str)
    }
}

/// The elements of a page in the order of their beginnings.
pub(super) struct Page(Vec<Element>);

impl Page {
    pub(super) fn read(html: &str) -> Self {
        let read = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut elements: Vec<Element> = Vec::new();
        let mut open: Vec<usize> = Vec::new();
        for Ok(token) in Tokenizer::new(html) {
            match token {
                Token::StartTag(tag) => {
                    let name = read(&tag.name);
                    let attributes = tag.attributes.iter();
                    let attributes =
                        attributes.map(|(name, value)| (read(name), read(&value.value))).collect();
                    let has_end = !tag.self_closing && !VOID.contains(&name.as_str());
                    elements.push(Element { name, attributes, text: String::new(), around: open.clone() });
                    open.extend(has_end.then_some(elements.len() - 1));
                }
                Token::EndTag(tag) => {
                    let name = read(&tag.name);
                    let ended = open.iter().rposition(|at| elements[*at].name == name);
                    open.truncate(ended.unwrap_or(open.len()));
                }
                Token::String(text) => {
                    let text = read(&text.value);
                    open.iter().for_each(|at| elements[*at].text.push_str(&text));
                }
                _ => {}
            }
        }
        Self(elements)
    }

    pub(super) fn all(&self, is: impl Fn(&Element) -> bool) -> impl Iterator<Item = &Element> {
        self.0.iter().filter(move |element| is(element))
    }

    fn part(&self, part: &str) -> Option<&Element> {
        self.all(|element| element.get("data-part") == Some(part)).next()
    }

    /// The text of the section of this class.
    fn section(&self, class: &str) -> Option<&str> {
        let mut sections =
            self.all(|element| element.name == "section" && element.get("class") == Some(class));
        sections.next().map(|section| section.text.as_str())
    }

    /// Whether nobody sees it.
    fn is_hidden(&self, element: &Element) -> bool {
        let around = element.around.iter().map(|at| &self.0[*at]);
        around.chain([element]).any(|element| element.get("hidden").is_some() || element.name == "noscript")
    }

    /// What the buttons that are seen and can be pressed ask of the run, such as `retry?from=start`.
    pub(super) fn offered(&self) -> BTreeSet<String> {
        let mut offered = BTreeSet::new();
        for button in self.all(|element| element.name == "button" && element.get("type") == Some("submit")) {
            let form = button.around.iter().rev().map(|at| &self.0[*at]).find(|around| around.name == "form");
            let Some(form) = form.filter(|form| form.get("method") == Some("post")) else { continue };
            if !self.is_hidden(button) && button.get("disabled").is_none() {
                let what = form.get("action").and_then(|action| action.rsplit('/').next());
                offered.extend(what.map(str::to_owned));
            }
        }
        offered
    }

    /// The value of the field with this name, as a browser sends it.
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        self.all(|element| element.get("name") == Some(name)).find_map(|element| element.get("value"))
    }

    /// What the page of this run says otherwise than its JSON, if anything.
    pub(super) fn contradicts(&self, run: &Value) -> Option<String> {
        // A browser makes one space of all that is white.
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let differs = |what: &str, shown: &str, told: &str| {
            (words(shown) != words(told))
                .then(|| format!("the page shows {what} {shown:?}, where JSON says {told:?}"))
        };
        let status = run["status"].as_str().unwrap_or_default();
        let shown = self.all(|element| element.get("data-run") == run["id"].as_str()).next();
        let shown = shown.and_then(|article| article.get("data-status")).unwrap_or_default();
        let text = |part: &str| self.part(part).map_or("", |part| part.text.as_str());
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

    /// A figure is that of JSON; a success is all of it, and nothing else is.
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
        let mut warned = self.all(|entry| entry.name == "li" && entry.get("data-status") == Some("warned"));
        let figure = warned.next().and_then(|entry| entry.text.split_whitespace().next());
        figure.unwrap_or("0").replace(',', "")
    }

    /// An error and a result are shown where there is one, and only there.
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

/// The word for where a run stands, by its JSON.
fn word(run: &Value) -> &'static str {
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
    fn a_page_is_held_to_its_json() {
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
