//! The lines of a run, however they are requested: every missing line is reported.

use std::time::Duration;

use process_tests::Event;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Visitor;
use super::book::has_ended;
use super::client::{Ask, Client, Step, wrong};
use super::page::Page;

/// Processes that number their lines from the first.
const NUMBERED: [&str; 5] = ["works", "fills", "talks", "chat", "count"];

fn is_numbered(run: &Value) -> bool {
    NUMBERED.iter().any(|process| run["process"] == *process) && run["attempt"] == 1
}

/// The number of lines in a gap.
fn omitted(line: &str) -> Option<u64> {
    line.strip_prefix("… ")?.split_once(" omitted").map(|(count, _)| {
        let digits: String = count.chars().filter(char::is_ascii_digit).collect();
        digits.parse().unwrap_or_default()
    })
}

/// The number in `line 12 ....`.
fn number(line: &str) -> Option<u64> {
    line.split("line ").nth(1)?.split_whitespace().next()?.parse().ok()
}

/// Finds unreported gaps in numbered lines; returns the number of lines otherwise.
fn count<'a>(lines: impl Iterator<Item = &'a str>) -> Result<u64, String> {
    let mut last = 0;
    for line in lines {
        match (omitted(line), number(line)) {
            (Some(gap), _) => last += gap,
            (None, Some(number)) if number == last + 1 => last = number,
            (None, Some(number)) => return Err(format!("line {number} comes after {last}")),
            // Lines of the runtime.
            (None, None) => {}
        }
    }
    Ok(last)
}

/// The position of a viewer in the lines of a run.
#[derive(Debug, Default)]
struct Seen {
    last: Option<u64>,
    /// The id of the last event, and whether it came from the open connection.
    id: String,
    is_continued: bool,
    is_over: bool,
}

/// How much of a log a page shows at most, in bytes.
const PAGE_BYTES: usize = 256 << 10;

impl Seen {
    /// Describes what is wrong with the next event.
    fn take(&mut self, event: &Event) -> Option<String> {
        // Lines of an earlier attempt may have been lost.
        let attempt = |id: &str| id.split('-').nth(1).map(str::to_owned);
        self.is_continued &= attempt(&self.id) == attempt(&event.id);
        self.id.clone_from(&event.id);
        match event.name.as_str() {
            "snapshot" => {
                let log = &event.data["log"];
                let after = log["after"].as_u64().unwrap_or_default();
                // If more was missed than one response contains, it states where it continues.
                if self.is_continued && self.last.is_some_and(|last| after < last) {
                    return Some(format!("it goes on after line {after}, and {:?} was seen", self.last));
                }
                self.last = Some(after);
                let lines = log["lines"].as_array().into_iter().flatten();
                lines.filter_map(|line| line["seq"].as_u64()).find_map(|seq| self.line(seq))
            }
            "log" => self.line(event.data["seq"].as_u64().unwrap_or_default()),
            "end" => {
                self.is_over = true;
                None
            }
            _ => None,
        }
    }

    fn line(&mut self, seq: u64) -> Option<String> {
        let last = self.last.replace(seq).unwrap_or_default();
        (seq != last + 1).then(|| format!("line {seq} comes after {last}"))
    }
}

impl Visitor<'_> {
    /// Watches a run for a while, reconnects, and must see each line once.
    pub(super) async fn watch(&mut self) -> Step {
        let fresh = self.chance.one_in(2);
        let Some(run) = self.book.choose(&mut self.chance, |run| !fresh || !has_ended(run)) else {
            return Ok(());
        };
        let (client, id) = (self.client().await, run["id"].as_str().unwrap_or_default().to_owned());
        let path = format!("/runs/{id}/events");
        let mut seen = Seen::default();
        for _ in 0..self.chance.of(1, 3) {
            let ask = Ask::get(&path);
            let ask = if seen.id.is_empty() { ask } else { ask.header("last-event-id", &seen.id) };
            let Some(mut events) = client.stream(ask.clone()).await? else {
                let may_be_over = seen.is_over;
                return if may_be_over { Ok(()) } else { client.unanswered(&ask, "204 before the end") };
            };
            for _ in 0..self.chance.of(1, 400) {
                let event = match tokio::time::timeout(Duration::from_secs(2), events.try_next()).await {
                    // Nothing happens there.
                    Err(_) => break,
                    Ok(Ok(Some(event))) => event,
                    Ok(Ok(None)) if seen.is_over => break,
                    Ok(Ok(None)) => return client.unanswered(&ask, "the stream ends before its run"),
                    Ok(Err(error)) => return client.unanswered(&ask, format!("broken off: {error:?}")),
                };
                // A gap that is not reported elsewhere is a gap in the numbers.
                if let Some(fault) = seen.take(&event) {
                    self.is_kept_nowhere(&client, &id, &fault, &ask).await?;
                }
                if event.name == "end" {
                    let (run, by) = self.book.see(&client, &id).await?;
                    if ["status", "result", "error"].iter().any(|name| run[name] != event.data[name]) {
                        return wrong(format!("the stream has ended with {}", event.data), &[&by]);
                    }
                }
            }
            seen.is_continued = true;
        }
        Ok(())
    }

    /// Lines that a stream leaves out must have been omitted from the log as well.
    async fn is_kept_nowhere(&self, client: &Client, id: &str, fault: &str, ask: &Ask) -> Step {
        let numbers: Vec<u64> = fault.split_whitespace().filter_map(|word| word.parse().ok()).collect();
        let &[next, last] = numbers.as_slice() else { return client.unanswered(ask, fault) };
        let path = format!("/runs/{id}/log?after={last}&download=1");
        let mut log = client.ask(Ask::get(&path)).await?.is(&[200])?;
        // The store may not have the lines yet that a viewer has seen.
        for _ in 0..100 {
            if !log.body.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            log = client.ask(Ask::get(&path)).await?.is(&[200])?;
        }
        let is_gap = next > last + 1 && log.text().lines().next().and_then(omitted) == Some(next - last - 1);
        if is_gap { Ok(()) } else { wrong(format!("{fault} in\n{ask}"), &[&log]) }
    }

    /// The log of an ended run is complete, or states how many lines are missing.
    pub(super) async fn download(&mut self) -> Step {
        let Some(run) = self.book.choose(&mut self.chance, |run| has_ended(run) && is_numbered(run)) else {
            return Ok(());
        };
        let (client, id) = (self.client().await, run["id"].as_str().unwrap_or_default());
        let log = client.ask(Ask::get(format!("/runs/{id}/log"))).await?.is(&[200])?;
        let text = log.text();
        let count = match count(text.lines()) {
            Ok(count) => count,
            Err(fault) => return wrong(fault, &[&log]),
        };
        let all = match run["process"].as_str() {
            _ if run["status"] != "succeeded" => return Ok(()),
            Some("count") => &run["result"]["total"],
            Some("chat") => &run["input"]["lines"],
            _ => &run["result"],
        };
        if *all == count {
            Ok(())
        } else {
            wrong(format!("{count} of {all} lines are told of: {run}"), &[&log])
        }
    }

    /// Messages contain every line in order, and close once.
    pub(super) async fn messages(&mut self) -> Step {
        let Some(run) = self.book.choose(&mut self.chance, |run| has_ended(run) && is_numbered(run)) else {
            return Ok(());
        };
        let (client, id) = (self.client().await, run["id"].as_str().unwrap_or_default());
        let ask = Ask::get(format!("/runs/{id}/events?format=message")).header("accept", "text/event-stream");
        let answer = client.ask(ask).await?.is(&[200])?;
        let text = answer.text();
        let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
        let said: Vec<Value> = data.filter_map(|data| serde_json::from_str(data).ok()).collect();
        if let Err(fault) = count(said.iter().filter_map(|said| said["message"].as_str())) {
            return wrong(fault, &[&answer]);
        }
        let (closes, full) = (text.matches("id: CLOSE").count(), said.last().map(|said| &said["progress"]));
        let holds = closes == 1 && (full == Some(&Value::from(100))) == (run["status"] == "succeeded");
        if holds {
            Ok(())
        } else {
            wrong(format!("{closes} times CLOSE, with {full:?} at last: {run}"), &[&answer])
        }
    }

    /// A stream of several runs has the events of each.
    pub(super) async fn tabs(&mut self) -> Step {
        let mut query = String::new();
        for kind in ["run", "run", "progress"] {
            let Some(run) = self.book.choose(&mut self.chance, |_| true) else { return Ok(()) };
            let id = run["id"].as_str().unwrap_or_default().to_owned();
            if !query.contains(&id) {
                query += &format!("&{kind}={id}");
            }
        }
        let client = self.client().await;
        let ask = Ask::get(format!("/events?{}", query.trim_start_matches('&')));
        let Some(mut events) = client.stream(ask.clone()).await? else { return Ok(()) };
        for _ in 0..self.chance.of(3, 60) {
            let asked = std::time::Instant::now();
            let event = match tokio::time::timeout(Duration::from_secs(1), events.try_next()).await {
                Err(_) | Ok(Ok(None)) => break,
                Ok(Ok(Some(event))) => event,
                Ok(Err(error)) => return client.unanswered(&ask, format!("broken off: {error:?}")),
            };
            // Its own moment is earlier than the one it is read at, and an end is one whenever it is read.
            let is_end = event.name == "snapshot" && has_ended(&event.data);
            if let Some(fault) = is_end.then(|| self.book.note(&event.data, asked)).flatten() {
                return client.unanswered(&ask, fault);
            }
            if event.data["run"].as_str().or(event.data["id"].as_str()).is_some_and(|id| !query.contains(id))
            {
                return client.unanswered(&ask, format!("nobody asked for {event:?}"));
            }
        }
        Ok(())
    }

    /// Search results match the query, on the page and in the file.
    pub(super) async fn search(&mut self) -> Step {
        let Some(run) = self.book.choose(&mut self.chance, has_ended) else { return Ok(()) };
        let (client, id) = (self.client().await, run["id"].as_str().unwrap_or_default());
        let sought = self.chance.of(1, 99).to_string();
        let path = format!("/runs/{id}/log?q={sought}");
        let file = client.ask(Ask::get(format!("{path}&download=1"))).await?.is(&[200])?;
        let page = client.ask(Ask::get(path).page()).await?.is(&[200])?;
        let text = file.text();
        let said: Vec<_> = text.lines().filter_map(|line| line.splitn(3, ' ').nth(2)).collect();
        let shown = Page::read(&page.text()).all().filter(|line| line.get("data-seq").is_some()).count();
        // A page has 500 lines, or fewer where they are long, and leads to the others.
        let most = said.len().min(500);
        let bytes = said.iter().take(shown).map(|line| line.len() + 128).sum::<usize>();
        let is_full = bytes >= PAGE_BYTES * 3 / 4 && page.text().contains("after=");
        let fits = shown == most || (shown < most && is_full);
        let holds = said.iter().all(|line| line.contains(&sought)) && fits;
        if holds {
            Ok(())
        } else {
            wrong(format!("{shown} lines are shown of {}", said.len()), &[&page, &file])
        }
    }

    /// A part of a file is that part.
    pub(super) async fn range(&mut self) -> Step {
        let with_file = |run: &Value| run["files"].as_array().is_some_and(|files| !files.is_empty());
        let Some(run) = self.book.choose(&mut self.chance, with_file) else { return Ok(()) };
        let (client, id) = (self.client().await, run["id"].as_str().unwrap_or_default());
        let (run, _) = self.book.see(&client, id).await?;
        let file = run["files"][0]["url"].as_str().unwrap_or_default();
        let whole = client.ask(Ask::get(file)).await?.is(&[200])?;
        let from = self.chance.of(0, whole.body.len().saturating_sub(1) as u64) as usize;
        let part = Ask::get(file).header("range", format!("bytes={from}-{}", from + 4));
        let part = client.ask(part).await?.is(&[200, 206])?;
        let of =
            if part.status == 206 { &whole.body[from..whole.body.len().min(from + 5)] } else { &whole.body };
        if part.body == of { Ok(()) } else { wrong("this is another part", &[&part, &whole]) }
    }

    /// Reads the beginning of something long, slowly, and goes.
    pub(super) async fn leave_early(&mut self) -> Step {
        let Some(run) = self.book.choose(&mut self.chance, is_numbered) else { return Ok(()) };
        let (client, id) = (self.client().await, run["id"].as_str().unwrap_or_default());
        let what = *self
            .chance
            .choose(&["/log", "/events", "/log?q=9", "/events?format=message"])
            .unwrap_or(&"/log");
        let Ok(mut socket) = TcpStream::connect(client.addr()).await else { return Ok(()) };
        let head = format!("GET /runs/{id}{what} HTTP/1.1\r\nhost: {}\r\n", client.addr());
        let _ = socket.write_all(format!("{head}cookie: {}\r\n\r\n", client.cookie()).as_bytes()).await;
        let mut piece = [0; 512];
        for _ in 0..self.chance.of(0, 4) {
            let _ = tokio::time::timeout(Duration::from_millis(100), socket.read(&mut piece)).await;
        }
        Ok(())
    }
}

#[test]
fn declared_gaps_are_counted() {
    let line = |number: u64| format!("2026-01-01T00:00:00Z INFO line {number} ....");
    let all = [line(1), line(2), "… 1,000 lines omitted …".into(), line(1_003)];
    assert_eq!(count(all.iter().map(String::as_str)), Ok(1_003));
    assert!(count([line(1), line(3)].iter().map(String::as_str)).is_err());
    assert!(count([line(2)].iter().map(String::as_str)).is_err());
}
