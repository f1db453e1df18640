//! Rounds of kill -9: a program is started on the same folder, is asked for all kinds of things, and is killed
//! at a random moment, often before it has taken up what the last one left.
//!
//! `PROCESS_CRASH_ROUNDS=1000` asks for more rounds, `PROCESS_CRASH_SEED=…` for the chances of an earlier test.

use std::collections::{BTreeMap, HashMap};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use process_tests::Chance;
use process_tests::chance::{from_env, seed};
use process_tests::server::json;
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};

use super::checks::{self, Figures};
use super::{Killable, PROGRAM};

/// How many clients run concurrently. Each has its own runs, so that its requests for one run are ordered.
const CLIENTS: usize = 4;
/// How many runs a client starts in a round, so that the queue stays short.
const STARTS: usize = 3;

/// An answer that does not come within this time is a fault, and no kill.
const PATIENCE: Duration = Duration::from_secs(30);

/// A start that was sent.
pub(super) struct Start {
    pub(super) route: &'static str,
    pub(super) input: Value,
    key: String,
    /// The run, once that was acknowledged.
    pub(super) id: Option<String>,
}

/// A request for a run.
pub(super) struct Asked {
    pub(super) what: &'static str,
    pub(super) round: usize,
    /// The response, if there was one: status and body.
    pub(super) answer: Option<(u16, Value)>,
}

/// What a client has sent and received.
#[derive(Default)]
pub(super) struct Outside {
    pub(super) starts: Vec<Start>,
    /// By run, in order.
    pub(super) asked: HashMap<String, Vec<Asked>>,
    /// Runs that were acknowledged as the retry of another one.
    pub(super) retries: BTreeMap<String, String>,
}

/// Every end that a client has seen, and when.
#[derive(Default)]
pub(super) struct Ends(Mutex<HashMap<String, (Value, Instant)>>);

impl Ends {
    /// Checks the state of a run in a response to a request sent at this time. After its end, a run never changes; a
    /// response to an earlier request may be older.
    pub(super) fn look(&self, run: &Value, asked: Instant) {
        // The history says more of its rows.
        let mut run = run.clone();
        let fields = run.as_object_mut().unwrap();
        fields.retain(|name, _| !["process_title", "summary"].contains(&name.as_str()));
        let run = &run;
        let status = run["status"].as_str().unwrap_or_else(|| panic!("no run: {run}"));
        let id = run["id"].as_str().unwrap().to_owned();
        let has_ended = checks::is_end(status);
        let mut ends = self.0.lock().unwrap();
        match ends.get(&id) {
            Some((end, seen)) if has_ended || asked > *seen => assert_eq!(run, end, "it had ended otherwise"),
            None if has_ended => drop(ends.insert(id, (run.clone(), Instant::now()))),
            _ => {}
        }
    }

    fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

/// One client in one round. Every method returns `None` if the program was killed.
struct Client<'a> {
    http: reqwest::Client,
    url: &'a str,
    notes: &'a Path,
    number: usize,
    round: usize,
    outside: &'a mut Outside,
    ends: &'a Ends,
    chance: Chance,
    answered: &'a Notify,
}

impl Client<'_> {
    async fn play(mut self) {
        let mut starts = 0;
        while match self.chance.of(0, 9) {
            0..=4 if starts < STARTS => {
                starts += 1;
                self.start().await
            }
            5..=6 => self.ask().await,
            7..=8 => self.look().await,
            _ => self.list().await,
        }
        .is_some()
        {
            let pause = self.chance.of(0, 6_000);
            sleep(Duration::from_micros(pause)).await;
        }
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Option<(u16, Value)> {
        let sent = async {
            let response = request.header("accept", "application/json").send().await.ok()?;
            let status = response.status().as_u16();
            Some((status, serde_json::from_slice(&response.bytes().await.ok()?).unwrap()))
        };
        let Ok(answer) = timeout(PATIENCE, sent).await else { panic!("no answer within {PATIENCE:?}") };
        let (status, value): (u16, Value) = answer?;
        assert!(status < 500, "{status}: {value}");
        self.answered.notify_one();
        Some((status, value))
    }

    /// Sends a start: a new one, or one that got no answer, or one once more, which makes no second run.
    async fn start(&mut self) -> Option<()> {
        let now = Instant::now();
        let unanswered = self.outside.starts.iter().rposition(|start| start.id.is_none());
        let at = match unanswered {
            Some(at) if !self.chance.one_in(3) => at,
            _ if !self.outside.starts.is_empty() && self.chance.one_in(8) => {
                self.chance.of(0, self.outside.starts.len() as u64 - 1) as usize
            }
            _ => {
                let start = self.new_start();
                self.outside.starts.push(start);
                self.outside.starts.len() - 1
            }
        };
        let start = &self.outside.starts[at];
        let request = self.http.post(format!("{}/{}/start", self.url, start.route));
        let request =
            request.header("content-type", "application/json").header("idempotency-key", &start.key);
        let (status, run) = self.send(request.body(start.input.to_string())).await?;
        assert_eq!(status, 201, "{run}");
        self.ends.look(&run, now);
        let id = run["id"].as_str().unwrap();
        let first = self.outside.starts[at].id.get_or_insert_with(|| id.to_owned());
        assert_eq!(first, id, "one key has made two runs");
        Some(())
    }

    fn new_start(&mut self) -> Start {
        let key = format!("{}-{}", self.number, self.outside.starts.len());
        let folder = self.notes.join(&key);
        let chance = &mut self.chance;
        let (route, input) = match chance.of(0, 9) {
            0..=2 => {
                let items = chance.of(10, 40);
                let fails_at = if chance.one_in(6) { chance.of(1, items) } else { 0 };
                (
                    "tally",
                    json!({ "folder": folder, "items": items, "pause": chance.of(1, 3), "fails_at": fails_at }),
                )
            }
            3..=4 => (
                "tally",
                json!({ "folder": folder, "items": chance.of(150, 400), "pause": 0, "fails_at": 0 }),
            ),
            5..=6 => ("begins-once", json!({ "folder": folder, "pause": chance.of(0, 20) })),
            7 => ("count", json!({ "total": chance.of(1, 5), "pause": 1 })),
            8 => ("fails-at-first", json!({ "times": chance.of(0, 2) * 50 })),
            _ => {
                let file = json!({ "name": "a.txt", "content": "d2hhdCB0aGUgZmlsZSBzYXlz" });
                ("fields/takes-files", json!({ "file": file, "name": key }))
            }
        };
        if input.get("folder").is_some() {
            std::fs::create_dir(&folder).unwrap();
        }
        Start { route, input, key, id: None }
    }

    /// One of the runs of this client, rather a new one.
    fn choose(&mut self) -> Option<String> {
        let starts = self.outside.starts.iter().filter_map(|start| start.id.as_ref());
        let ids: Vec<_> = starts.chain(self.outside.retries.keys()).collect();
        let last = ids.len().checked_sub(1)? as u64;
        let back =
            if self.chance.one_in(3) { self.chance.of(0, last) } else { self.chance.of(0, last.min(6)) };
        Some(ids[(last - back) as usize].clone())
    }

    async fn ask(&mut self) -> Option<()> {
        let now = Instant::now();
        let Some(id) = self.choose() else { return Some(()) };
        let what = ["pause", "pause", "resume", "resume", "resume", "cancel", "retry"];
        let what = what[self.chance.of(0, what.len() as u64 - 1) as usize];
        let all = self.outside.asked.entry(id.clone()).or_default();
        // The program may execute the request and be killed before it responds.
        all.push(Asked { what, round: self.round, answer: None });
        let request = self.http.post(format!("{}/runs/{id}/{what}", self.url));
        let (status, answer) = self.send(request).await?;
        assert!([200, 201, 409].contains(&status), "{what}: {status}: {answer}");
        if status < 300 {
            self.ends.look(&answer, now);
        }
        if status == 201 {
            assert_eq!(answer["retry_of"], id.as_str());
            let new = answer["id"].as_str().unwrap().to_owned();
            let twice = self.outside.retries.iter().any(|(other, of)| *of == id && *other != new);
            assert!(!twice, "{id} was retried by two runs");
            self.outside.retries.insert(new, id.clone());
        }
        self.outside.asked.get_mut(&id)?.last_mut()?.answer = Some((status, answer));
        Some(())
    }

    async fn look(&mut self) -> Option<()> {
        let now = Instant::now();
        let Some(id) = self.choose() else { return Some(()) };
        let (status, run) = self.send(self.http.get(format!("{}/runs/{id}", self.url))).await?;
        assert_eq!(status, 200, "{id} was acknowledged, and is not there: {run}");
        self.ends.look(&run, now);
        Some(())
    }

    async fn list(&mut self) -> Option<()> {
        let now = Instant::now();
        let mut address = "/runs".to_owned();
        for _ in 0..self.chance.of(1, 3) {
            let (_, listed) = self.send(self.http.get(format!("{}{address}", self.url))).await?;
            listed["runs"].as_array().unwrap().iter().for_each(|run| self.ends.look(run, now));
            let Some(next) = listed["next"].as_str() else { break };
            next.clone_into(&mut address);
        }
        Some(())
    }
}

/// Starts the program, sends requests, and kills it. Returns true if it had printed its address.
async fn round(
    round: usize,
    (folder, notes): (&Path, &Path),
    clients: &mut [Outside],
    ends: &Ends,
    chance: &mut Chance,
) -> bool {
    let (mut server, first) = Killable::spawn(Command::new(PROGRAM).arg(folder));
    // Some live a little longer, so that something gets done.
    let life = if chance.one_in(6) { chance.of(150, 500) } else { chance.of(3, 80) };
    let from_answer = chance.one_in(2);
    let (answered, gone) = (Notify::new(), Notify::new());
    let chances: Vec<_> = clients.iter().map(|_| Chance(chance.number())).collect();
    let play = async {
        let Some(url) = tokio::task::spawn_blocking(first).await.unwrap() else { return false };
        let http = reqwest::Client::new();
        let playing = clients.iter_mut().zip(chances).enumerate().map(|(number, (outside, chance))| {
            let (http, url, answered) = (http.clone(), url.as_str(), &answered);
            Client { http, url, notes, number, round, outside, ends, chance, answered }.play()
        });
        futures_util::future::join_all(playing).await;
        true
    };
    let kill = async {
        if from_answer {
            let first = timeout(PATIENCE, answered.notified()).await;
            assert!(first.is_ok(), "nothing was answered within {PATIENCE:?}");
        }
        sleep(Duration::from_millis(life)).await;
        server.child.kill().unwrap();
        let status = server.child.wait().unwrap();
        assert_eq!(status.signal(), Some(9), "it has ended by itself: {status}");
        gone.notify_one();
    };
    // A connection may not notice the kill: a waiting request then counts as unanswered.
    let play = async {
        tokio::select! {
            was_up = play => was_up,
            () = async { gone.notified().await; sleep(Duration::from_secs(1)).await } => {
                println!("round {round}: a connection has outlived the program by a second");
                true
            }
        }
    };
    let (was_up, ()) = tokio::join!(play, kill);
    was_up
}

/// All runs of the store.
async fn all_runs(server: &Killable, query: &str) -> Vec<Value> {
    let mut runs = Vec::new();
    let mut address = format!("/runs?{}", query.trim_start_matches('&'));
    loop {
        let mut listed = json(server.get(&address).await).await;
        runs.append(listed["runs"].as_array_mut().unwrap());
        match listed["next"].as_str() {
            Some(next) => next.clone_into(&mut address),
            None => return runs,
        }
    }
}

/// Waits until no run has one of these states.
async fn until_none(server: &Killable, statuses: &str) {
    let began = Instant::now();
    loop {
        let left = json(server.get(&format!("/runs?status={statuses}")).await).await["runs"].take();
        if left == json!([]) {
            return;
        }
        assert!(began.elapsed() < Duration::from_secs(120), "they do not end: {left}");
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hundred_kill_9_rounds_lose_nothing() {
    let began = Instant::now();
    let rounds = from_env("PROCESS_CRASH_ROUNDS").unwrap_or(100) as usize;
    let seed = seed("PROCESS_CRASH_SEED");
    println!("PROCESS_CRASH_SEED={seed} makes the same choices again, as far as they do not hang on time");
    let mut chance = Chance(seed);
    let (folder, notes) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let places: (&Path, &Path) = (folder.path(), notes.path());
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| Outside::default()).collect();
    let ends = Ends::default();
    let (mut before_up, mut kills) = (0, Vec::new());
    for number in 0..rounds {
        before_up += usize::from(!round(number, places, &mut clients, &ends, &mut chance).await);
        kills.push(Timestamp::now());
    }
    let (killing, seen) = (began.elapsed(), ends.len());

    // A last start lets all runs end that are not paused, and then the paused ones.
    let server = Killable::start(folder.path());
    until_none(&server, "queued,running,cancelling").await;
    let settled = by_id(all_runs(&server, "").await);
    let paused: Vec<_> = settled.iter().filter(|(_, run)| run["status"] == "paused").collect();
    for (id, _) in &paused {
        server.ask(id, "resume").await;
    }
    until_none(&server, "queued,running,cancelling,paused").await;
    let runs = by_id(all_runs(&server, "").await);
    runs.values().for_each(|run| ends.look(run, Instant::now()));

    let mut figures = Figures::default();
    for outside in &clients {
        checks::acknowledged(outside, &runs, &mut figures);
        checks::controls(outside, &kills, &settled, &runs, &mut figures);
    }
    for run in runs.values() {
        let log = server.get(&format!("/runs/{}/log", run["id"].as_str().unwrap())).await;
        checks::run(run, &runs, &log.text().await.unwrap(), &mut figures);
    }
    checks::files(&folder.path().join("uploads"), &runs);
    println!(
        "{rounds} rounds and kills, {before_up} of them before the program could be reached; {seen} ends were \
         seen before the last start; {} runs were paused then\n{figures}\n{:.1} s, {:.1} s of them with kills",
        paused.len(),
        began.elapsed().as_secs_f64(),
        killing.as_secs_f64(),
    );
    assert!(figures.starts > rounds && seen > rounds / 2, "too little happened");
    assert!(figures.went_on > 0 && figures.interrupted > 0, "no kill came in the middle of a run");
}

fn by_id(runs: Vec<Value>) -> HashMap<String, Value> {
    runs.into_iter().map(|run| (run["id"].as_str().unwrap().to_owned(), run)).collect()
}

/// The notes that a process wrote in its folder.
pub(super) fn notes_of(run: &Value) -> Vec<String> {
    let folder: PathBuf = run["input"]["folder"].as_str().unwrap().into();
    let text = std::fs::read_to_string(folder.join(run["id"].as_str().unwrap())).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}
