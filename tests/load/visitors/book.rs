//! What visitors have seen of each run, and checks whether new responses are consistent with it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use jiff::Timestamp;
use process_tests::Chance;
use serde_json::Value;

use super::client::{Answer, Client, Step, wrong};
use super::page::word;
use super::program::Program;

/// What was seen of a run.
#[derive(Debug, Default)]
struct Told {
    /// As it was shown last.
    run: Value,
    /// Its end, and when that was seen first.
    end: Option<(Value, Instant)>,
    /// Somebody has requested its end.
    may_be_cancelled: bool,
}

/// Everything that visitors have seen.
pub(crate) struct Book {
    program: Arc<Program>,
    runs: Mutex<HashMap<String, Told>>,
    /// In the order in which their starts were acknowledged.
    order: Mutex<Vec<String>>,
}

pub(super) fn has_ended(run: &Value) -> bool {
    !run["finished_at"].is_null()
}

/// Processes that only a visitor ends, and processes that are never interrupted because they resume.
pub(super) const ENDLESS: [&str; 1] = ["wait"];
const RESUMABLE: [&str; 1] = ["tells"];

/// The part of a run that is the same for all visitors: links and file addresses depend on the visitor.
fn for_everybody(run: &Value) -> Value {
    let mut run = run.clone();
    if let Some(fields) = run.as_object_mut() {
        fields.shift_remove("links");
        fields.shift_remove("log");
        // The history says more of its rows.
        fields.shift_remove("process_title");
        fields.shift_remove("summary");
    }
    for file in run["files"].as_array_mut().into_iter().flatten() {
        file.as_object_mut().map(|file| file.shift_remove("url"));
    }
    run
}

impl Book {
    pub(crate) fn of(program: &Arc<Program>) -> Self {
        Self { program: Arc::clone(program), runs: Mutex::default(), order: Mutex::default() }
    }

    /// Checks a run in this response. A run that was unknown is acknowledged by it.
    pub(super) fn look(&self, run: &Value, by: &Answer) -> Step {
        let fault = self.note(run, by.sent);
        fault.map_or(Ok(()), |fault| wrong(fault, &[by]))
    }

    /// Describes what is inconsistent in a run that was requested at this time.
    pub(super) fn note(&self, run: &Value, asked: Instant) -> Option<String> {
        let Some(id) = run["id"].as_str().map(str::to_owned) else { return Some(format!("no run: {run}")) };
        let run = for_everybody(run);
        let mut runs = self.runs.lock().unwrap();
        let told = runs.entry(id.clone()).or_insert_with(|| {
            self.order.lock().unwrap().push(id);
            Told::default()
        });
        if let Some((end, seen)) = &told.end {
            // A response that was sent before the end was seen may be older.
            let differs = (has_ended(&run) || asked > *seen) && *end != run;
            return differs.then(|| format!("it had ended otherwise: {end}\nnow: {run}"));
        }
        let fault = has_ended(&run).then(|| self.is_odd_end(&run, told)).flatten();
        if has_ended(&run) {
            told.end = Some((run.clone(), Instant::now()));
        }
        told.run = run;
        fault
    }

    /// Describes what is inconsistent in a row of a list that was requested at this time: an end must be the same
    /// there.
    pub(super) fn note_row(&self, id: &str, state: &str, asked: Instant) -> Option<String> {
        let runs = self.runs.lock().unwrap();
        let (end, _) = runs.get(id)?.end.as_ref().filter(|(_, seen)| asked > *seen)?;
        (word(end) != state).then(|| format!("{state:?} stands beside {end}"))
    }

    /// Why this run cannot have come to this end.
    fn is_odd_end(&self, run: &Value, told: &Told) -> Option<String> {
        let moment = |name: &str| run[name].as_str().and_then(|at| at.parse::<Timestamp>().ok());
        let (process, input) = (run["process"].as_str().unwrap_or_default(), &run["input"]);
        let expected = match process {
            "fails" | "panics" | "takes-too-long" => "failed",
            "repeats" if input["fails"] == true => "failed",
            _ => "succeeded",
        };
        match run["status"].as_str().unwrap_or_default() {
            "interrupted" => {
                let from = moment("started_at").or(moment("created_at"))?;
                let was_cut = self.program.was_cut_between(from, moment("finished_at")?);
                let goes_on = RESUMABLE.contains(&process);
                (!was_cut || goes_on).then(|| format!("interrupted, and it was not cut off: {run}"))
            }
            "cancelled" if told.may_be_cancelled => None,
            // Cut off three times without a save between.
            "failed" if RESUMABLE.contains(&process) && self.program.cuts() >= 3 => None,
            status if status == expected => None,
            status => Some(format!("{status}, where {expected} was meant: {run}")),
        }
    }

    /// Records that somebody requests the end of this run.
    pub(super) fn will_be_cancelled(&self, id: &str) {
        self.runs.lock().unwrap().entry(id.to_owned()).or_default().may_be_cancelled = true;
    }

    /// One of the acknowledged runs with this property; preferably a new one.
    pub(super) fn choose(&self, chance: &mut Chance, is: impl Fn(&Value) -> bool) -> Option<Value> {
        let (runs, order) = (self.runs.lock().unwrap(), self.order.lock().unwrap());
        let few = if chance.one_in(4) { order.len() } else { 40 };
        let of: Vec<&Value> =
            order.iter().rev().take(few).map(|id| &runs[id].run).filter(|run| is(run)).collect();
        chance.choose(&of).map(|run| (*run).clone())
    }

    /// All acknowledged runs.
    pub(super) fn ids(&self) -> Vec<String> {
        self.order.lock().unwrap().clone()
    }

    /// Requests a run that was seen: it must exist and be consistent.
    pub(super) async fn see(&self, client: &Client, id: &str) -> Step<(Value, Answer)> {
        let answer = client.ask(super::client::Ask::get(format!("/runs/{id}"))).await?;
        if answer.status != 200 {
            return wrong(format!("{id} was acknowledged, and is not there"), &[&answer]);
        }
        let run = answer.json()?;
        self.look(&run, &answer)?;
        Ok((run, answer))
    }

    /// The number of runs by end.
    pub(crate) fn ends(&self) -> BTreeMap<String, usize> {
        let mut ends = BTreeMap::new();
        for told in self.runs.lock().unwrap().values() {
            *ends.entry(told.run["status"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
        }
        ends
    }
}
