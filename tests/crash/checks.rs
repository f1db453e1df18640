//! What must hold of everything after the rounds of kill -9, run by run, and the figures of it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::path::Path;

use jiff::Timestamp;
use process_runtime::prelude::*;
use serde_json::Value;

use super::rounds::{Asked, Outside, notes_of};

/// The most items that a crash may repeat.
const REPEATED: usize = Cursor::<u64>::REPEAT_AT_MOST as usize;

type Runs = HashMap<String, Value>;

/// Statistics of the test.
#[derive(Default)]
pub(super) struct Figures {
    /// Starts and controls that were acknowledged.
    pub(super) starts: usize,
    controls: usize,
    unanswered: usize,
    /// Runs that resumed after a crash or a pause, and how many times in total.
    pub(super) went_on: usize,
    attempts: u64,
    /// Runs that failed after three crashes without progress.
    given_up: usize,
    pub(super) interrupted: usize,
    /// The most items that one attempt has done again, and all of them together.
    most_repeated: usize,
    repeated: usize,
    items: usize,
    ends: BTreeMap<String, usize>,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { starts, controls, unanswered, went_on, attempts, given_up, .. } = self;
        writeln!(f, "{starts} starts and {controls} controls were acknowledged, {unanswered} got no answer")?;
        writeln!(f, "runs by their end: {:?}", self.ends)?;
        writeln!(f, "{went_on} runs went on, {attempts} times; {given_up} were given up after 3 crashes")?;
        let Self { items, repeated, most_repeated, .. } = self;
        write!(f, "{repeated} of {items} items were done again, {most_repeated} at the most after one crash")
    }
}

pub(super) fn is_end(status: &str) -> bool {
    status.parse::<process_runtime::RunStatus>().unwrap().is_terminal()
}

fn text<'a>(run: &'a Value, name: &str) -> &'a str {
    run[name].as_str().unwrap_or_default()
}

fn number(run: &Value, name: &str) -> u64 {
    run[name].as_u64().unwrap_or_else(|| panic!("{name}: {run}"))
}

/// Everything that was acknowledged is there, once.
pub(super) fn acknowledged(outside: &Outside, runs: &Runs, figures: &mut Figures) {
    for start in &outside.starts {
        let same = |run: &&Value| {
            let by = |name: &str| start.input.get(name).is_some_and(|value| run["input"][name] == *value);
            run["process"] == start.route && run["retry_of"].is_null() && (by("folder") || by("name"))
        };
        let made = runs.values().filter(same).count();
        assert!(made <= 1, "one start has made {made} runs: {}", start.input);
        let Some(id) = &start.id else {
            figures.unanswered += 1;
            continue;
        };
        figures.starts += 1;
        let run = runs.get(id).unwrap_or_else(|| panic!("{id} was acknowledged, and is lost"));
        assert_eq!(text(run, "process"), start.route);
    }
    for (id, of) in &outside.retries {
        let run = runs.get(id).unwrap_or_else(|| panic!("{id} was acknowledged as a retry, and is lost"));
        assert_eq!(text(run, "retry_of"), of);
    }
}

/// Checks acknowledged control requests, for runs before paused ones were resumed, and at the end. Each program was
/// killed before the moment in `kills`.
pub(super) fn controls(
    outside: &Outside,
    kills: &[Timestamp],
    settled: &Runs,
    runs: &Runs,
    figures: &mut Figures,
) {
    for (id, all) in &outside.asked {
        for (index, Asked { what, round, answer }) in all.iter().enumerate() {
            let Some((status, answer)) = answer else {
                figures.unanswered += 1;
                continue;
            };
            figures.controls += 1;
            let later = |what: &str| all[index + 1..].iter().any(|asked| asked.what == what);
            match *what {
                "cancel" => cancelled(answer, &runs[id], kills[*round]),
                "pause" if *status == 200 && !later("resume") => {
                    let may_be_cancelled = later("cancel");
                    paused(answer, &settled[id], may_be_cancelled);
                }
                _ => {}
            }
        }
    }
}

/// A run whose cancel was acknowledged is not executed again.
///
/// It may have come to another end a moment before it heard of it, in the same program. The next program does
/// not end it otherwise.
fn cancelled(answer: &Value, run: &Value, killed: Timestamp) {
    assert_eq!(number(run, "attempt"), number(answer, "attempt"), "executed after {answer}: {run}");
    let finished: Timestamp = text(run, "finished_at").parse().unwrap();
    assert!(run["status"] == "cancelled" || finished < killed, "{answer}, then {run}");
}

/// A run whose pause was acknowledged is not executed again before it is resumed.
fn paused(answer: &Value, run: &Value, may_be_cancelled: bool) {
    assert_eq!(number(run, "attempt"), number(answer, "attempt"), "executed after {answer}: {run}");
    let status = text(run, "status");
    assert!(status == "paused" || is_end(status), "{answer}, then {run}");
    if answer["status"] == "paused" {
        assert!(status == "paused" || (may_be_cancelled && status == "cancelled"), "{answer}, then {run}");
    }
}

/// One run, with its log.
pub(super) fn run(run: &Value, runs: &Runs, log: &str, figures: &mut Figures) {
    let status = text(run, "status");
    assert!(is_end(status), "{run}");
    *figures.ends.entry(status.to_owned()).or_default() += 1;
    assert_eq!(run["started_at"].is_null(), run["attempt"] == 0, "{run}");
    assert!(!log.contains("omitted"), "{run}: {log}");
    // The time and the level come first.
    let lines: Vec<&str> = log.lines().map(|line| line.splitn(3, ' ').nth(2).unwrap().trim_start()).collect();
    let attempt = number(run, "attempt");
    let process = text(run, "process");
    if process == "tally" {
        assert_ne!(status, "interrupted", "it could go on: {run}");
        figures.went_on += usize::from(attempt > 1);
        figures.attempts += attempt.saturating_sub(1);
        return tally(run, runs, &lines, figures);
    }
    figures.interrupted += usize::from(status == "interrupted");
    match process {
        "begins-once" => begins_once(run, &lines),
        "count" => {
            let total = number(&run["input"], "total") as usize;
            let all: Vec<_> = (1..=total).map(|step| format!("line {step}")).collect();
            assert!(lines.len() == total || (status != "succeeded" && lines.len() < total), "{run}: {log}");
            assert_eq!(lines, all[..lines.len()]);
        }
        "fails-at-first" => {
            let failures = lines.iter().filter(|line| line.contains(" failed: ")).count() as u64;
            assert!(attempt <= 3 && failures <= attempt, "{run}: {log}");
            assert!(status != "failed" || attempt == 3, "{run}: {log}");
        }
        "fields/takes-files" => {
            let beginning = &run["result"]["beginnings"][0];
            assert!(status != "succeeded" || beginning == "what the file says", "{run}");
        }
        other => panic!("nobody has started {other}"),
    }
    if process != "fails-at-first" {
        assert!(attempt <= 1, "its body began {attempt} times: {run}");
        assert!(["succeeded", "interrupted", "cancelled"].contains(&status), "{run}");
    }
}

/// A body without a cursor begins at most once.
fn begins_once(run: &Value, lines: &[&str]) {
    let notes = notes_of(run);
    let notes: Vec<&str> = notes.iter().map(String::as_str).collect();
    assert!(["began", "ended"].starts_with(&notes), "{run}: {notes:?}");
    assert!(run["status"] != "succeeded" || notes.len() == 2, "{run}: {notes:?}");
    assert!(run["attempt"] == 1 || notes.is_empty(), "not counted: {run}: {notes:?}");
    assert!(["began"].starts_with(lines) && lines.len() <= notes.len(), "{run}: {lines:?}");
}

fn given_up(run: &Value) -> bool {
    text(run, "error").contains("3 times in a row")
}

/// The last item that a run, or those it is a retry of, has done.
fn last_done(run: &Value, runs: &Runs) -> u64 {
    let before = run["retry_of"].as_str().map_or(0, |id| last_done(&runs[id], runs));
    items_of(run).into_iter().fold(before, u64::max)
}

fn items_of(run: &Value) -> Vec<u64> {
    notes_of(run).iter().map(|item| item.parse().unwrap()).collect()
}

/// With a cursor every item is done at least once, in order, and few of them twice.
fn tally(run: &Value, runs: &Runs, lines: &[&str], figures: &mut Figures) {
    let (items, attempt) = (items_of(run), number(run, "attempt"));
    let before = run["retry_of"].as_str().map_or(0, |id| last_done(&runs[id], runs));
    let (mut last, mut most, mut again) = (before, before, 0);
    for item in &items {
        if *item != last + 1 {
            assert!(*item <= last, "{item} after {last}: {run}");
            let back = (most + 1 - item) as usize;
            assert!(back <= REPEATED, "{back} items were done again: {run}");
            figures.most_repeated = figures.most_repeated.max(back);
            again += 1;
        }
        (last, most) = (*item, most.max(*item));
    }
    let executions = attempt as usize - usize::from(attempt > 0) + usize::from(!run["retry_of"].is_null());
    assert!(again <= executions, "it went back {again} times: {run}");
    let repeated = items.len() - items.iter().collect::<BTreeSet<_>>().len();
    figures.repeated += repeated;
    figures.items += items.len();
    match text(run, "status") {
        "succeeded" => {
            assert_eq!(run["result"], run["input"]["items"], "{run}");
            assert_eq!(last_done(run, runs), number(&run["input"], "items"), "{run}");
        }
        "failed" if given_up(run) => {
            figures.given_up += 1;
            assert!(attempt > 3, "{run}");
        }
        "failed" => {
            let broken = number(&run["input"], "fails_at");
            assert_eq!(text(run, "error"), format!("item {broken} is broken"));
            assert_eq!(last_done(run, runs), broken - 1, "{run}");
        }
        status => assert_eq!(status, "cancelled", "{run}"),
    }
    logged(run, &items, lines);
}

/// Lines are stored together with the cursor, so the log contains each item once, except one that was logged but not
/// saved before the kill, which the next attempt logs again.
fn logged(run: &Value, items: &[u64], lines: &[&str]) {
    let (mut last, mut attempt, mut is_new) = (None, 1, false);
    // A failed run ends its log with the error.
    let ending = lines.last().filter(|line| text(run, "status") == "failed" && **line == text(run, "error"));
    for line in &lines[..lines.len() - usize::from(ending.is_some())] {
        if let Some(next) = line.strip_prefix("attempt ") {
            let next: u64 = next.parse().unwrap();
            assert!(attempt < next && next <= number(run, "attempt"), "{line} after {attempt}: {run}");
            (attempt, is_new) = (next, true);
            continue;
        }
        let item: u64 = line.strip_prefix("item ").and_then(|item| item.parse().ok()).unwrap();
        match last {
            Some(last) => {
                let fits = item == last + 1 || (is_new && item == last);
                assert!(fits, "item {item} after {last}: {run}: {lines:?}");
            }
            None => assert_eq!(Some(&item), items.first(), "{run}: {lines:?}"),
        }
        (last, is_new) = (Some(item), false);
    }
    assert!(last <= items.iter().copied().max(), "{run}: {lines:?}");
    if run["status"] == "succeeded" {
        assert_eq!(last, items.iter().copied().max(), "lines are missing: {run}: {lines:?}");
    }
}

/// No file is left that belongs to no run.
pub(super) fn files(uploads: &Path, runs: &Runs) {
    for entry in std::fs::read_dir(uploads).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(runs.contains_key(&name), "{name} belongs to no run");
    }
}
