//! Random lives of a store, compared with the model after each step: with restarts, a full disk, and a clock
//! that jumps. `STORE_CASES` sets how many.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use jiff::Timestamp;
use process_runtime::store::sqlite::{Clock, SqliteStore};
use process_runtime::store::{
    Batch, ClaimId, ClaimRequest, ClaimTarget, Control, Lease, LogFilter, NodeId, Pruned, Release, Retention,
    RunCounts, RunFilter, RunOrder, RunPosition, StartOptions, Store, StoreError, TrimLog,
};
use process_runtime::{
    Run, RunId, RunStatus,
    run::{FailedItem, Level, LogLine, Outcome, ProgressState, RunFile, SavedCursor},
};
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, json};
use tempfile::TempDir;

use super::model::Model;
use super::steps::{Details, News, PROCESSES, SOUGHT, Step, TEXTS, Who, steps};
use super::{folder, open};

const CONTROLS: [Control; 4] = [Control::Cancel, Control::ForceCancel, Control::Pause, Control::Resume];

/// What happened in all lives: a life in which nothing happens proves nothing.
#[derive(Debug, Default)]
struct Seen {
    claims: Cell<u64>,
    abandoned: Cell<u64>,
    fenced: Cell<u64>,
    ends: Cell<u64>,
    pruned: Cell<u64>,
    full_disk: Cell<u64>,
}

fn count(counter: &Cell<u64>, happened: bool) {
    counter.set(counter.get() + u64::from(happened));
}

struct Life<'a> {
    folder: TempDir,
    store: Option<SqliteStore>,
    model: Model,
    leases: Vec<Lease>,
    /// Microseconds since 1970.
    clock: Arc<AtomicI64>,
    disk_full: bool,
    seen: &'a Seen,
}

fn at(micros: i64) -> Timestamp {
    Timestamp::from_microsecond(micros).unwrap()
}

impl<'a> Life<'a> {
    fn new(seen: &'a Seen) -> Self {
        let folder = folder();
        let clock = Arc::new(AtomicI64::new(1_700_000_000_000_000));
        let mut life = Self {
            folder,
            store: None,
            model: Model::default(),
            leases: Vec::new(),
            clock,
            disk_full: false,
            seen,
        };
        life.open();
        life
    }

    fn open(&mut self) {
        let clock = Arc::clone(&self.clock);
        let clock = Clock::new(move || at(clock.load(Ordering::SeqCst)));
        self.store = Some(open(self.folder.path()).with_clock(clock));
        self.disk_full = false;
    }

    fn store(&self) -> &SqliteStore {
        self.store.as_ref().unwrap()
    }

    fn now(&self) -> Timestamp {
        at(self.clock.load(Ordering::SeqCst))
    }

    fn in_seconds(&self, seconds: i64) -> Timestamp {
        at(self.clock.load(Ordering::SeqCst) + seconds * 1_000_000)
    }

    /// The store must agree with the model, unless the disk is full: then nothing has changed.
    fn agree<T: PartialEq + std::fmt::Debug>(
        &mut self,
        real: Result<T, StoreError>,
        expected: impl FnOnce(&mut Model) -> Result<T, StoreError>,
    ) -> bool {
        if self.disk_full && matches!(real, Err(StoreError::Unavailable(_))) {
            count(&self.seen.full_disk, true);
            return false;
        }
        count(&self.seen.fenced, matches!(real, Err(StoreError::Fenced)));
        assert_eq!(real, expected(&mut self.model));
        true
    }

    fn lease(&self, who: &Who) -> Lease {
        let unknown = || Lease::new(RunId::new(), 1, ClaimId::new());
        let lease = self.leases.iter().rev().filter(|lease| !who.holds || self.model.holds(**lease));
        let lease = lease.copied().nth(who.back).unwrap_or_else(unknown);
        Lease::new(lease.run, lease.epoch + who.off, lease.claim)
    }

    /// One of the runs, or one that was never started.
    fn whom(&self, whom: usize) -> RunId {
        self.model.ids().iter().rev().nth(whom).copied().unwrap_or_else(RunId::new)
    }

    fn batch(&self, run: RunId, news: &News) -> Batch {
        let first = (self.model.last_seq(run) + 1).saturating_sub(news.overlap).max(1);
        let line = |(seq, (level, text)): (u64, &(usize, usize))| LogLine {
            seq,
            at: self.now(),
            level: Level::ALL[*level],
            text: TEXTS[*text].into(),
            styles: Vec::new(),
        };
        let progress = |n| ProgressState { percent: Some(f64::from(n) / 3.0), ..ProgressState::default() };
        let file =
            |n| RunFile { name: format!("{n}"), size: n, media_type: "x/y".into(), stored: "s".into() };
        let failed = |n: u8| FailedItem { item: n.to_string(), reason: "no".into() };
        Batch::default()
            .lines((first..).zip(&news.lines).map(line).collect())
            .omit(news.omit.map(|(from, many, keep)| {
                TrimLog::new(from..=from + many).keep(keep.map(|keep| Level::ALL[keep]))
            }))
            .progress(news.progress.map(progress))
            .files(news.files.map(|n| (0..u64::from(n)).map(file).collect()))
            .failed_items(news.failed_items.map(|n| (0..n).map(failed).collect()))
            .cursor(news.cursor.map(|n| SavedCursor::new(json!(n))))
            .stalled(news.stalled)
            .elapsed_ms(news.elapsed_ms)
    }

    async fn step(&mut self, step: &Step) {
        let now = self.now();
        match step {
            Step::Start { process, run, key, exclusive, waiting } => {
                let terms = StartOptions::default()
                    .idempotency_key(key.map(|key| key.to_string()))
                    .exclusive(*exclusive)
                    .max_queued(waiting[0])
                    .max_queued_per_process(waiting[1])
                    .max_queued_per_actor(waiting[2]);
                let run = self.run_of(*process, run);
                let real = self.store().start(run.clone(), terms.clone()).await;
                self.agree(real, |model| model.start(run, &terms));
            }
            Step::Claim { wanted, lease } => {
                let claimable = |(process, concurrency, resumable): &(usize, usize, bool)| {
                    ClaimTarget::new(PROCESSES[*process]).concurrency(*concurrency).resumable(*resumable)
                };
                let processes = wanted.iter().map(claimable).collect();
                let (node, claim) = (NodeId::new(), ClaimId::new());
                let wanted = ClaimRequest::new(node, *lease).processes(processes).suspects(true).claim(claim);
                let real = self.store().claim(wanted.clone()).await;
                if let Ok(Some(claim)) = &real {
                    count(&self.seen.claims, true);
                    count(&self.seen.abandoned, claim.abandoned);
                    self.leases.push(claim.lease);
                }
                if !self.agree(real, |model| Ok(model.claim(&wanted, now))) {
                    self.model.failed_claim(&wanted, now);
                }
            }
            Step::Heartbeat { who, lease: duration } => {
                let lease = self.lease(who);
                let real = self.store().heartbeat(lease, *duration).await;
                self.agree(real, |model| Ok(model.heartbeat(lease, *duration)));
            }
            Step::Append { who, news } => {
                let lease = self.lease(who);
                let batch = self.batch(lease.run, news);
                let real = self.store().append(lease, batch.clone()).await;
                self.agree(real, |model| model.append(lease, batch));
            }
            Step::Finish { who, news, outcome } => {
                let outcome = [
                    Outcome::Succeeded(json!({ "total": 1.5 })),
                    Outcome::Succeeded(json!(null)),
                    Outcome::Failed("no".into()),
                    Outcome::Cancelled,
                    Outcome::Interrupted("gone".into()),
                ][*outcome]
                    .clone();
                let lease = self.lease(who);
                let batch = self.batch(lease.run, news);
                let real = self.store().finish(lease, batch.clone(), outcome.clone()).await;
                count(&self.seen.ends, real.is_ok());
                self.agree(real, |model| model.finish(lease, batch, outcome, now));
            }
            Step::Release { who, news, to, wait } => {
                let to = [Release::Queued, Release::Paused, Release::Retry(Duration::from_secs(*wait))][*to];
                let lease = self.lease(who);
                let batch = self.batch(lease.run, news);
                let real = self.store().release(lease, batch.clone(), to).await;
                self.agree(real, |model| model.release(lease, batch, to, now));
            }
            Step::Control { whom, control } => {
                let (id, control) = (self.whom(*whom), CONTROLS[*control]);
                let real = self.store().control(id, control).await;
                self.agree(real, |model| model.control(id, control, now));
            }
            Step::Prune { before, newest } => {
                let retention =
                    Retention::default().older_than(before.map(Duration::from_secs)).newest(*newest);
                let mut gone_in_order = Vec::new();
                let real =
                    self.store().prune(retention.clone()).await.map(|Pruned { runs, more, .. }| {
                        assert!(!more);
                        gone_in_order.clone_from(&runs);
                        let mut runs = runs;
                        runs.sort();
                        runs
                    });
                let before = self.model.clone();
                self.agree(real, |model| {
                    let mut gone = model.prune(&retention, now);
                    gone.sort();
                    Ok(gone)
                });
                let all = before.runs(&everything());
                let ended = |id: &RunId| all.iter().find(|run| run.id == *id).unwrap().finished_at;
                assert!(gone_in_order.is_sorted_by_key(ended), "the oldest go first");
                count(&self.seen.pruned, !gone_in_order.is_empty());
            }
            Step::Log { whom, after, limit, level, contains } => {
                let id = self.whom(*whom);
                let filter = LogFilter::after(*after, *limit)
                    .level(level.map(|level| Level::ALL[level]))
                    .contains(contains.map(|text| TEXTS[text].chars().skip(1).take(4).collect()));
                let real = self.store().log(id, filter.clone()).await;
                self.agree(real, |model| Ok(model.log(id, &filter)));
                let real = self.store().log_tail(id, *limit).await;
                self.agree(real, |model| Ok(model.tail(id, *limit)));
            }
            Step::Runs {
                process,
                except,
                statuses,
                actor,
                between,
                number,
                failed_items,
                contains,
                ranked,
                after,
                limit,
            } => {
                let [from, until] = between.map(|moment| moment.map(|seconds| self.in_seconds(seconds)));
                let filter = RunFilter::default()
                    .process(process.map(|process| PROCESSES[process].into()))
                    .except(except.iter().map(|process| PROCESSES[*process].into()).collect())
                    .statuses(statuses.iter().map(|status| RunStatus::ALL[*status]).collect())
                    .actor(actor.map(|actor| actor.to_string()))
                    .from(from)
                    .until(until)
                    .number(*number)
                    .failed_items(*failed_items)
                    .contains(contains.map(|text| SOUGHT[text].into()))
                    .order(if *ranked { RunOrder::Ranked } else { RunOrder::Newest })
                    .limit(*limit);
                let whole = everything().order(filter.order);
                let after = after.and_then(|n| self.model.runs(&whole).get(n).map(RunPosition::of));
                let filter = filter.after(after);
                let real = self.store().runs(filter.clone()).await;
                self.agree(real, |model| Ok(model.runs(&filter)));
                let real = self.store().count_runs(filter.clone()).await;
                let counted = |counts: RunCounts| RunStatus::ALL.map(|status| counts.of(status));
                self.agree(real.map(counted), |model| {
                    let all = filter.statuses(Vec::new()).after(None).limit(usize::MAX);
                    let runs = model.runs(&all);
                    let of = |status| runs.iter().filter(|run| run.status == status).count() as u64;
                    Ok(RunStatus::ALL.map(of))
                });
            }
            Step::Clock { seconds } => {
                self.clock.fetch_add(seconds * 1_000_000 + 7, Ordering::SeqCst);
            }
            Step::Restart => {
                self.store = None;
                self.open();
                self.model.restart();
                self.compare_all().await;
            }
            Step::FillDisk => {
                self.store().limit_pages(Some(1)).await.unwrap();
                self.disk_full = true;
            }
            Step::FreeDisk => {
                self.store().limit_pages(None).await.unwrap();
                self.disk_full = false;
            }
        }
        self.compare().await;
    }

    fn run_of(&self, process: usize, details: &Details) -> Run {
        let mut input = Map::new();
        input.insert("text".into(), "x".repeat(details.size).into());
        let mut run = Run::queued(PROCESSES[process], "Title", input);
        run.created_at = self.now();
        run.priority = details.priority;
        run.actor = details.actor.map(|actor| actor.to_string());
        run.bookkeeping.concurrency_key = details.place.map(|place| place.to_string());
        run
    }

    /// Compares every run, and the log of the last one written to.
    async fn compare(&self) {
        assert_eq!(self.store().runs(everything()).await.unwrap(), self.model.runs(&everything()));
        if let Some(lease) = self.leases.last() {
            self.compare_log(lease.run).await;
        }
    }

    async fn compare_log(&self, id: RunId) {
        let all = LogFilter::after(0, usize::MAX);
        assert_eq!(self.store().log(id, all.clone()).await.unwrap(), self.model.log(id, &all));
    }

    /// Every run and every log, one by one.
    async fn compare_all(&self) {
        self.compare().await;
        for run in self.model.runs(&everything()) {
            assert_eq!(self.store().run(run.id).await.unwrap().as_ref(), Some(&run));
            self.compare_log(run.id).await;
        }
    }
}

fn everything() -> RunFilter {
    RunFilter::default().limit(usize::MAX)
}

#[test]
fn random_store_histories_match_model() {
    let cases = std::env::var("STORE_CASES").map_or(40, |cases| cases.parse().unwrap());
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 4_000, ..Config::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let seen = Seen::default();
    let done = AtomicU64::new(0);
    let outcome = TestRunner::new(config).run(&steps(), |steps| {
        runtime.block_on(async {
            let mut life = Life::new(&seen);
            for step in &steps {
                life.step(step).await;
            }
            life.compare_all().await;
            // The file is sound at the end.
            life.store().limit_pages(None).await.unwrap();
            life.store = None;
            life.open();
            let checked = life.store().checked().await.unwrap();
            assert_eq!((checked.runs, checked.damaged), (life.model.ids().len() as u64, 0));
        });
        done.fetch_add(steps.len() as u64, Ordering::Relaxed);
        Ok(())
    });
    outcome.unwrap();
    println!("{} steps in {cases} lives: {seen:?}", done.into_inner());
    let Seen { claims, abandoned, fenced, ends, pruned, full_disk } = seen;
    for (what, counter) in [
        ("claims", claims),
        ("abandoned runs", abandoned),
        ("fenced writes", fenced),
        ("ends", ends),
        ("removals", pruned),
        ("full disks", full_disk),
    ] {
        assert!(u64::from(cases) <= 10 * counter.get(), "too few {what}: {counter:?}");
    }
}
