//! Damaged files: the store refuses the file, takes it out of use, or omits and reports records. It never returns wrong
//! data and never panics. `STORE_FLIPS=all` flips every single bit, which takes hours.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use process_runtime::store::sqlite::{Checked, SqliteStore, Synchronous};
use process_runtime::store::{
    ClaimRequest, Control, Release, Retention, RunFilter, StartOptions, StartOutcome, Store, StoreError,
};
use process_runtime::{
    Run, RunId, RunStatus,
    run::{Level, LogLine, Outcome, SavedCursor},
};
use process_tests::conformance::{LONG, batch_of, claimable, claimed, line, lines, run_of, wanted, with_key};
use serde_json::json;
use tempfile::TempDir;

use super::folder;

const DATA: &str = "runs.sqlite3";
const LOG: &str = "runs.sqlite3-wal";
const MARK: &str = "runs.sqlite3-mark";
const PROCESSES: [&str; 2] = ["count", "admin/import"];
/// How many runs there are, and how many of them, the last ones, have a key.
const RUNS: usize = 36;
const KEYED: usize = 8;

/// The files of a store, and its answers without damage.
struct Truth {
    files: HashMap<&'static str, Vec<u8>>,
    /// The newest first.
    runs: Vec<Run>,
    logs: HashMap<RunId, Vec<LogLine>>,
    /// The claimed runs, in this order.
    claims: Vec<RunId>,
    /// The runs of the keys "0", "1", …
    keyed: Vec<RunId>,
    /// Of a run that was never started before.
    fresh: Run,
}

fn open(folder: &Path) -> Result<SqliteStore, String> {
    SqliteStore::open(folder, Synchronous::Full).map_err(|error| error.to_string())
}

/// Runs in every state, with logs, keys, actors and large inputs, and free pages from removed runs.
async fn fill(store: &SqliteStore) {
    let retention = Retention::default().newest(0);
    for n in 0..RUNS {
        let mut run = run_of(PROCESSES[n % 2]);
        run.actor = (n % 3 == 0).then(|| format!("person {}", n % 4));
        run.priority = (n % 4) as i16 - 1;
        run.bookkeeping.concurrency_key = (n % 6 == 0).then(|| "tenant".into());
        run.input
            .insert("text".into(), "some input; ".repeat(if n % 17 == 5 { 1_500 } else { n % 7 }).into());
        let terms = if n >= RUNS - KEYED {
            with_key(&(n + KEYED - RUNS).to_string())
        } else {
            StartOptions::default()
        };
        let process = run.process.clone();
        store.start(run, terms).await.unwrap();
        if n % 9 == 8 {
            continue;
        }
        let claim = claimed(store, &process).await;
        let noted: Vec<_> =
            (1..=(n as u64 * 7) % 13).map(|seq| line(seq, Level::ALL[n % 4], "a line")).collect();
        store.append(claim.lease, batch_of(noted)).await.unwrap();
        let cursor = SavedCursor::new(json!(n));
        let last = batch_of(lines("last", 14..16)).cursor(cursor).elapsed_ms(9);
        let retry = Release::Retry(Duration::from_secs(1 << 30));
        match n % 8 {
            0 => drop(store.finish(claim.lease, last, Outcome::Failed("no".into())).await.unwrap()),
            1 => drop(store.finish(claim.lease, last, Outcome::Succeeded(json!({ "n": n }))).await.unwrap()),
            2 => drop(store.release(claim.lease, last, Release::Queued).await.unwrap()),
            3 => drop(store.release(claim.lease, last, retry).await.unwrap()),
            4 => drop(store.release(claim.lease, last, Release::Paused).await.unwrap()),
            5 => drop(store.control(claim.run.id, Control::Cancel).await.unwrap()),
            6 => drop(store.control(claim.run.id, Control::Pause).await),
            _ => {}
        }
        if n == 14 {
            store.prune(retention.clone()).await.unwrap();
        }
    }
}

fn everything() -> RunFilter {
    RunFilter::default().limit(usize::MAX)
}

fn want_all() -> ClaimRequest {
    wanted(PROCESSES.map(claimable)).lease(LONG)
}

fn read(folder: &Path) -> HashMap<&'static str, Vec<u8>> {
    [DATA, LOG, MARK].into_iter().filter_map(|name| Some((name, fs::read(folder.join(name)).ok()?))).collect()
}

impl Truth {
    /// Of a store that was closed, or of one that was killed, with its write-ahead log.
    async fn new(cut_off: bool) -> Self {
        let full = folder();
        let store = open(full.path()).unwrap();
        fill(&store).await;
        // As the end of the program leaves it.
        let mut files = read(full.path());
        drop(store);
        if !cut_off {
            files = read(full.path());
            assert!(!files.contains_key(LOG), "it is cleared up when it is closed");
        }
        let copy = lay_out(&files);
        let store = open(copy.path()).unwrap();
        let runs = store.runs(everything()).await.unwrap();
        let mut logs = HashMap::new();
        for run in &runs {
            logs.insert(run.id, store.log_tail(run.id, usize::MAX).await.unwrap());
        }
        let mut keyed = Vec::new();
        for key in 0..KEYED {
            let again = run_of(PROCESSES[key % 2]);
            keyed.push(store.start(again, with_key(&key.to_string())).await.unwrap().run.id);
        }
        let mut claims = Vec::new();
        while let Some(claim) = store.claim(want_all()).await.unwrap() {
            claims.push(claim.run.id);
        }
        assert!(runs.len() > 20 && logs.values().map(Vec::len).sum::<usize>() > 100);
        assert_eq!(store.runs(everything()).await.unwrap().len(), runs.len(), "each key had its run");
        let seen = |status| runs.iter().any(|run| run.status == status);
        assert!(RunStatus::ALL.into_iter().filter(|status| seen(*status)).count() >= 6);
        Self { files, runs, logs, claims, keyed, fresh: run_of("count") }
    }
}

fn lay_out(files: &HashMap<&'static str, Vec<u8>>) -> TempDir {
    let folder = folder();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

/// What became of a damaged file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Verdict {
    Refused,
    OutOfUse,
    LeftOut,
    AllThere,
}

/// An acceptable error with enough information.
fn allowed(error: &StoreError) {
    match error {
        StoreError::Damaged(_) => {}
        StoreError::Unavailable(why) => {
            assert!(!why.to_string().contains("thread"), "a thread has panicked: {why}");
        }
        _ => panic!("{error:?}"),
    }
}

async fn judge(folder: &Path, truth: &Truth) -> Verdict {
    let store = match open(folder) {
        Ok(store) => store,
        Err(error) => {
            assert!(error.contains(DATA), "{error}");
            return Verdict::Refused;
        }
    };
    match store.checked().await {
        Ok(Checked { damaged, .. }) => give_nothing_wrong(&store, truth, damaged).await,
        Err(error) => {
            allowed(&error);
            gives_nothing(&store, truth, folder).await;
            Verdict::OutOfUse
        }
    }
}

/// A file that is out of use is neither read nor written.
async fn gives_nothing(store: &SqliteStore, truth: &Truth, folder: &Path) {
    let before = read(folder);
    let is_damaged = |error: StoreError| match error {
        StoreError::Damaged(why) => {
            let text = why.to_string();
            assert!(text.contains(DATA) && text.contains(".recover"), "{text}");
        }
        error => panic!("{error}"),
    };
    is_damaged(store.run(truth.runs[0].id).await.unwrap_err());
    is_damaged(store.runs(everything()).await.unwrap_err());
    is_damaged(store.log_tail(truth.runs[0].id, 1).await.unwrap_err());
    is_damaged(store.start(run_of("count"), StartOptions::default()).await.unwrap_err());
    is_damaged(store.claim(want_all()).await.unwrap_err());
    is_damaged(store.control(truth.runs[0].id, Control::Cancel).await.unwrap_err());
    is_damaged(store.prune(Retention::default().newest(0)).await.unwrap_err());
    assert!(read(folder) == before, "nothing is written");
}

/// A file in use returns correct data, and reports what it omits.
async fn give_nothing_wrong(store: &SqliteStore, truth: &Truth, damaged: u64) -> Verdict {
    let (mut gone, mut lines_gone) = (Vec::new(), 0);
    // All at once: thousands of files are judged.
    let found = join_all(truth.runs.iter().map(|run| store.run(run.id))).await;
    let logs = join_all(truth.runs.iter().map(|run| store.log_tail(run.id, usize::MAX))).await;
    for ((run, found), log) in truth.runs.iter().zip(found).zip(logs) {
        match found {
            Ok(found) => assert_eq!(found.as_ref(), Some(run)),
            Err(error) => {
                allowed(&error);
                gone.push(run.id);
            }
        }
        match log {
            Ok(found) => {
                let expected = &truth.logs[&run.id];
                assert!(found.iter().all(|line| expected.contains(line)), "{found:?}");
                lines_gone += expected.len() - found.len();
            }
            Err(error) => allowed(&error),
        }
    }
    let known = |id: &RunId| !gone.contains(id);
    assert!(
        damaged >= (gone.len() + lines_gone) as u64,
        "{gone:?} and {lines_gone} lines; {damaged} reported"
    );
    let all = store.runs(everything()).await;
    match &all {
        Ok(all) => assert!(all.iter().eq(truth.runs.iter().filter(|run| known(&run.id)))),
        Err(error) => allowed(error),
    }
    let again = |key: usize| store.start(run_of(PROCESSES[key % 2]), with_key(&key.to_string()));
    for (started, id) in join_all((0..KEYED).map(again)).await.into_iter().zip(&truth.keyed) {
        match started {
            Ok(started) => assert_eq!((started.run.id, started.existing), (*id, true)),
            Err(error) => allowed(&error),
        }
    }
    let claims = join_all((0..=truth.claims.len()).map(|_| store.claim(want_all()))).await;
    let mut expected = truth.claims.iter().filter(|id| known(id));
    for claim in claims {
        match claim {
            Ok(claim) => assert_eq!(claim.map(|claim| claim.run.id), expected.next().copied()),
            Err(error) => {
                allowed(&error);
                break;
            }
        }
    }
    // Sound records still work.
    match store.start(truth.fresh.clone(), StartOptions::default()).await {
        Ok(StartOutcome { run, .. }) => {
            assert_eq!(store.run(run.id).await.as_ref(), Ok(&Some(run.clone())));
            let before = truth.runs.iter().filter(|other| other.process == run.process);
            assert!(
                before.map(|other| other.number).max() < Some(run.number),
                "the number is taken: {run:?}"
            );
            let mut unnumbered = run;
            unnumbered.number = 0;
            assert_eq!(unnumbered, truth.fresh);
        }
        Err(error) => allowed(&error),
    }
    if gone.is_empty() && lines_gone == 0 && all.is_ok() { Verdict::AllThere } else { Verdict::LeftOut }
}

/// One way to damage a file.
#[derive(Debug, Clone, Copy)]
enum Fault {
    Flip { bit: usize },
    CutOff { length: usize },
}

/// Checks each fault of a file, and counts the verdicts.
fn sweep(truth: &Truth, name: &'static str, faults: &[Fault]) -> HashMap<Verdict, usize> {
    let next = AtomicUsize::new(0);
    let began = std::time::Instant::now();
    let verdicts = Mutex::new(HashMap::new());
    let work = || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        while let Some(fault) = faults.get(next.fetch_add(1, Ordering::Relaxed)) {
            let mut files = truth.files.clone();
            let bytes = files.get_mut(name).unwrap();
            match *fault {
                Fault::Flip { bit } => bytes[bit / 8] ^= 1 << (bit % 8),
                Fault::CutOff { length } => bytes.truncate(length),
            }
            let folder = lay_out(&files);
            let judged = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                runtime.block_on(judge(folder.path(), truth))
            }));
            let verdict = judged.unwrap_or_else(|_| panic!("{name} with {fault:?}: see above"));
            *verdicts.lock().unwrap().entry(verdict).or_default() += 1;
        }
    };
    std::thread::scope(|scope| (0..2).for_each(|_| drop(scope.spawn(work))));
    let verdicts = verdicts.into_inner().unwrap();
    println!(
        "{:?} {} faults of {name} ({} bytes): {verdicts:?}",
        began.elapsed(),
        faults.len(),
        truth.files[name].len()
    );
    verdicts
}

/// All bits of these bytes, and a sample of the others.
fn flips(length: usize, thorough: impl Fn(usize) -> bool, step: usize) -> Vec<Fault> {
    let step = if std::env::var("STORE_FLIPS").is_ok_and(|flips| flips == "all") { 1 } else { step };
    let bits = (0..length * 8).filter(|bit| thorough(bit / 8) || bit % step == 0);
    bits.map(|bit| Fault::Flip { bit }).collect()
}

fn cuts(length: usize, at: &[usize]) -> Vec<Fault> {
    let lengths = at.iter().copied().chain((0..length).step_by(4_096).flat_map(|at| [at, at + 1, at + 511]));
    lengths.filter(|at| *at < length).map(|length| Fault::CutOff { length }).collect()
}

fn truth(cut_off: bool) -> Truth {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(Truth::new(cut_off))
}

#[test]
fn flipped_bit_never_corrupts_answers() {
    let truth = truth(false);
    let length = truth.files[DATA].len();
    let faults = flips(length, |byte| byte < 100, 701);
    assert!(faults.len() > 2_000, "{}", faults.len());
    let verdicts = sweep(&truth, DATA, &faults);
    for verdict in [Verdict::Refused, Verdict::OutOfUse, Verdict::LeftOut, Verdict::AllThere] {
        assert!(verdicts.contains_key(&verdict), "{verdict:?}");
    }
}

#[test]
fn truncated_file_never_corrupts_answers() {
    let truth = truth(false);
    let faults = cuts(truth.files[DATA].len(), &[0, 1, 15, 16, 99, 100, 101, 512, 1_024]);
    let verdicts = sweep(&truth, DATA, &faults);
    assert!(!verdicts.contains_key(&Verdict::AllThere), "{verdicts:?}");
}

#[test]
fn flipped_wal_bit_never_corrupts_answers() {
    let truth = truth(true);
    let length = truth.files[LOG].len();
    sweep(&truth, LOG, &flips(length, |byte| byte < 32, 20_011));
    sweep(&truth, DATA, &flips(truth.files[DATA].len(), |_| false, 2_003));
}

#[test]
fn truncated_wal_never_corrupts_answers() {
    let truth = truth(true);
    let length = truth.files[LOG].len();
    let mut lengths = vec![0, 1, 31, 32, 33, 56];
    // The ends of pages with their headers, which SQLite accepts as the end of the log.
    lengths.extend((32..length).step_by(4_096 + 24).step_by(7));
    let faults: Vec<_> = lengths.into_iter().map(|length| Fault::CutOff { length }).collect();
    // Frames after the end are left over, and may be missing.
    let verdicts = sweep(&truth, LOG, &faults);
    assert!(verdicts[&Verdict::Refused] > 20, "{verdicts:?}");
}

#[test]
fn damaged_commit_mark_is_harmless() {
    let truth = truth(true);
    let verdicts = sweep(&truth, MARK, &flips(truth.files[MARK].len(), |_| false, 5));
    assert_eq!(verdicts.into_keys().collect::<Vec<_>>(), [Verdict::AllThere]);
    let cuts: Vec<_> = (0..28).map(|length| Fault::CutOff { length }).collect();
    assert_eq!(sweep(&truth, MARK, &cuts).into_keys().collect::<Vec<_>>(), [Verdict::AllThere]);
}
