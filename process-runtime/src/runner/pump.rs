//! Owns the side of an execution that watches the body: news to the feed and the store, heartbeats, the end.
//! Refuses to know what the body does and how it is called.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::{Instant, sleep, sleep_until};

use super::body::{self, End};
use super::omission::Omission;
use super::{INTERRUPTED, LEASE, Shared};
use crate::feed::Feed;
use crate::feeds::SILENCE;
use crate::parameter::Invocation;
use crate::process::BoxFuture;
use crate::progress::{Progress, Stop};
use crate::run::{Level, Outcome, RunStatus};
use crate::store::{Batch, Claim, Control, Heartbeat, Lease, StoreError};

/// The shortest time between two progress events of a run: at most 20 a second.
const TICK: Duration = Duration::from_millis(50);
/// How long a log line may wait for others to be stored with.
const GATHER: Duration = Duration::from_millis(200);
/// How often progress alone is stored. The store needs it only after a crash.
const STORE_PROGRESS: Duration = Duration::from_secs(1);
/// How long to wait when the store could not write.
const TRY_AGAIN: Duration = Duration::from_secs(1);
/// How many lines may wait while the store cannot write, before the oldest plain ones are given up.
const MAX_UNSAVED: usize = 20_000;

/// Executes a claimed run to its end.
pub(super) async fn execute(shared: &Arc<Shared>, claim: Claim, nudge: Arc<Notify>) {
    let Claim { lease, run, last_seq, abandoned } = claim;
    let feed = shared.feeds.execute_here(run.clone(), last_seq);
    let process = shared.registry.get(&run.process);
    let outcome = match process {
        _ if abandoned && run.status == RunStatus::Cancelling => Outcome::Cancelled,
        Some(process) if !abandoned => {
            let folder = shared.files.join(run.id.to_string());
            let progress = Progress::new(run.id, &run.progress.title, Some(folder), last_seq);
            let mut input = run.input.clone();
            shared.secrets.put_back(run.id, &mut input);
            shared.uploads.locate(&process.fields(), run.id, &mut input);
            let invocation = Invocation { progress: progress.clone(), states: shared.states.clone(), input };
            if let Some(running) = shared.running().get_mut(&run.id) {
                running.progress = Some(progress.clone());
            }
            let omission = Omission::resumed(shared.log_limits, &*shared.store, run.id, last_seq).await;
            let body = body::start(process, invocation, Arc::clone(&shared.bodies));
            let now = Instant::now();
            let pump = Pump {
                shared,
                lease,
                progress,
                feed,
                nudge,
                began: now,
                before: Duration::from_millis(run.elapsed_ms),
                unsaved: Batch::default(),
                omission,
                files: run.files.len(),
                save_at: None,
                saving: None,
                held: now,
                last_news: now,
            };
            return pump.run(body).await;
        }
        _ => Outcome::Interrupted(INTERRUPTED.into()),
    };
    let batch = Batch { elapsed_ms: run.elapsed_ms, ..Batch::default() };
    finish(shared, &feed, lease, batch, outcome).await;
}

struct Pump<'a> {
    shared: &'a Arc<Shared>,
    lease: Lease,
    progress: Progress,
    feed: Arc<Feed>,
    nudge: Arc<Notify>,
    /// When this execution began, and how long earlier ones had taken.
    began: Instant,
    before: Duration,
    /// News the store has not been given yet, and when they are due.
    unsaved: Batch,
    /// Which lines need not be kept, as the log grows.
    omission: Omission,
    files: usize,
    save_at: Option<Instant>,
    /// News on their way to the store, kept until it has answered.
    saving: Option<(Batch, BoxFuture<'static, Result<(), StoreError>>)>,
    /// When the store last said that the lease holds.
    held: Instant,
    last_news: Instant,
}

/// How the pump waits for the body's next report.
enum Look {
    /// At this moment, because the last look saw something.
    At(Instant),
    /// When woken, or once more at this moment: a report may have raced with the arming.
    WhenWoken(Option<Instant>),
}

impl Pump<'_> {
    async fn run(mut self, mut body: oneshot::Receiver<End>) {
        let mut look = Look::At(Instant::now());
        let mut beat = Instant::now() + LEASE / 3;
        let end = loop {
            let look_at = match look {
                Look::At(at) | Look::WhenWoken(Some(at)) => Some(at),
                Look::WhenWoken(None) => None,
            };
            tokio::select! {
                end = &mut body => break end,
                () = self.progress.changed(), if matches!(look, Look::WhenWoken(_)) => look = self.look(None),
                () = at(look_at) => look = self.look(Some(&look)),
                () = at(self.save_at), if self.saving.is_none() => self.save(),
                saved = saved(&mut self.saving) => self.saved(saved),
                () = self.nudge.notified() => beat = self.beat().await,
                () = sleep_until(beat) => beat = self.beat().await,
                () = sleep_until(self.last_news + SILENCE) => {
                    self.feed.ping();
                    self.last_news = Instant::now();
                }
            }
        };
        self.take_news();
        if self.saving.is_some() {
            let result = saved(&mut self.saving).await;
            self.saved(result);
        }
        self.omission.look(&mut self.unsaved);
        let Self { shared, feed, lease, .. } = self;
        match end {
            Ok(End::Outcome(outcome)) => finish(shared, &feed, lease, self.unsaved, outcome).await,
            Ok(End::LeaseLost) => hand_over(shared, &feed),
            // The thread was gone without a word. It cannot be, but a run must never hang on that.
            Err(_) => {
                let outcome = Outcome::Failed("the process ended without a word".into());
                finish(shared, &feed, lease, self.unsaved, outcome).await;
            }
        }
    }

    /// Publishes what was reported, and says how to wait for more.
    fn look(&mut self, last: Option<&Look>) -> Look {
        let now = Instant::now();
        match last {
            _ if self.take_news() => Look::At(now + TICK),
            Some(Look::WhenWoken(_)) => Look::WhenWoken(None),
            _ => {
                self.progress.arm();
                Look::WhenWoken(Some(now + TICK))
            }
        }
    }

    /// Moves what was reported to the feed and to what is to be stored. True when there was anything.
    fn take_news(&mut self) -> bool {
        let reading = self.progress.read();
        let elapsed_ms = u64::try_from((self.before + self.began.elapsed()).as_millis()).unwrap_or(u64::MAX);
        let publish = |run: &mut crate::run::Run| {
            run.elapsed_ms = elapsed_ms;
            run.progress.clone_from(&reading.state);
        };
        let news = self.feed.publish(publish, &reading.lines);
        let new_files = reading.files.len() != self.files;
        self.unsaved.elapsed_ms = elapsed_ms;
        if !news && !new_files {
            return false;
        }
        let wait = if reading.lines.is_empty() && !new_files { STORE_PROGRESS } else { GATHER };
        let due = Instant::now() + wait;
        self.save_at = Some(self.save_at.map_or(due, |at| at.min(due)));
        self.unsaved.lines.extend(reading.lines);
        self.unsaved.progress = Some(reading.state);
        if new_files {
            self.files = reading.files.len();
            self.unsaved.files = Some(reading.files);
        }
        self.last_news = Instant::now();
        true
    }

    fn save(&mut self) {
        self.omission.look(&mut self.unsaved);
        let elapsed_ms = self.unsaved.elapsed_ms;
        let batch = std::mem::take(&mut self.unsaved);
        self.unsaved.elapsed_ms = elapsed_ms;
        self.save_at = None;
        let (store, lease, copy) = (Arc::clone(&self.shared.store), self.lease, batch.clone());
        self.saving = Some((batch, Box::pin(async move { store.append(lease, copy).await })));
    }

    fn saved(&mut self, result: Result<(), StoreError>) {
        let Some((batch, _)) = self.saving.take() else { return };
        match result {
            Ok(()) => {}
            Err(StoreError::Fenced) => self.progress.stop(Stop::LeaseLost),
            Err(error) => {
                tracing::error!(run = %self.lease.run, "news could not be stored, and are kept: {error}");
                let newer = std::mem::replace(&mut self.unsaved, batch);
                self.unsaved.lines.extend(newer.lines);
                self.unsaved.progress = newer.progress.or(self.unsaved.progress.take());
                self.unsaved.files = newer.files.or(self.unsaved.files.take());
                self.unsaved.elapsed_ms = newer.elapsed_ms;
                let spare = self.unsaved.lines.len().saturating_sub(MAX_UNSAVED);
                let mut given_up = 0;
                self.unsaved.lines.retain(|line| {
                    let keep = given_up >= spare || line.level >= Level::Warn;
                    given_up += usize::from(!keep);
                    keep
                });
                self.save_at = Some(Instant::now() + TRY_AGAIN);
            }
        }
    }

    /// Holds the run for longer, does what was asked of it, and says when to do so again.
    async fn beat(&mut self) -> Instant {
        match self.shared.store.heartbeat(self.lease, LEASE).await {
            Ok(Heartbeat::Requested(Control::Cancel)) => {
                self.held = Instant::now();
                self.feed.publish(|run| run.status = RunStatus::Cancelling, &[]);
                self.progress.stop(Stop::Cancelled);
            }
            Ok(Heartbeat::Held | Heartbeat::Requested(_)) => self.held = Instant::now(),
            Ok(Heartbeat::Lost) => self.progress.stop(Stop::LeaseLost),
            Err(error) => {
                tracing::error!(run = %self.lease.run, "no heartbeat: {error}");
                if self.held.elapsed() >= LEASE {
                    // Somebody else may hold it by now.
                    self.progress.stop(Stop::LeaseLost);
                }
                return Instant::now() + TRY_AGAIN;
            }
        }
        Instant::now() + LEASE / 3
    }
}

async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

async fn saved(
    saving: &mut Option<(Batch, BoxFuture<'static, Result<(), StoreError>>)>,
) -> Result<(), StoreError> {
    match saving {
        Some((_, future)) => future.await,
        None => std::future::pending().await,
    }
}

/// Stores the end, however long that takes, and only then tells it.
async fn finish(shared: &Arc<Shared>, feed: &Arc<Feed>, lease: Lease, batch: Batch, outcome: Outcome) {
    loop {
        match shared.store.finish(lease, batch.clone(), outcome.clone()).await {
            Ok(run) => return feed.end(run),
            Err(StoreError::Fenced) => return hand_over(shared, feed),
            Err(error) => {
                tracing::error!(run = %lease.run, "the end could not be stored, trying again: {error}");
                sleep(TRY_AGAIN).await;
            }
        }
    }
}

/// The run is somebody else's now, or its end is stored already: the feed goes on from the store.
fn hand_over(shared: &Arc<Shared>, feed: &Arc<Feed>) {
    feed.executed_elsewhere();
    shared.feeds.follow(feed);
}
