//! Owns the side of an execution that watches the body: what is asked of it, deadlines, heartbeats, the end.
//! Refuses to know what the body does, how it is called, and how its news are gathered.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::body::{self, End};
use super::fitting;
use super::news::{News, Next};
use super::omission::{LogLimits, Omission};
use super::verdict::{self, Verdict};
use super::{Phase, Shared};
use crate::feed::Feed;
use crate::feeds::SILENCE;
use crate::parameter::Invocation;
use crate::process::Process;
use crate::progress::{Progress, Stop};
use crate::run::{Outcome, Run, RunStatus};
use crate::store::{Batch, Claim, Control, Heartbeat, Lease, StoreError};
use crate::text::OneLine;

/// How long to wait when the store could not write.
pub(super) const TRY_AGAIN: Duration = Duration::from_secs(1);
/// How long a body may take to stop after its time is up, before the run ends without it.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// Executes a claimed run until it ends or is given up. True when it has ended.
pub(super) async fn execute(shared: &Arc<Shared>, claim: Claim, nudge: Arc<Notify>) -> bool {
    let feed = shared.feeds.execute_here(claim.run.clone(), claim.last_seq);
    let Some(process) = shared.registry.get(&claim.run.process) else {
        // Only runs of registered processes are claimed.
        tracing::error!(run = %claim.run.id, "its process {} is not here", OneLine(&claim.run.process));
        return false;
    };
    if let Some(verdict) = verdict::before(&claim, process) {
        let batch = Batch { elapsed_ms: claim.run.elapsed_ms, ..Batch::default() };
        return conclude(shared, &feed, claim.lease, batch, verdict).await;
    }
    let Claim { lease, run, last_seq, .. } = claim;
    let (folder, limits) = (shared.files.join(run.id.to_string()), shared.settings.limits);
    let progress = Progress::new(run.id, &run.progress.title, Some(folder), last_seq, limits).with_store();
    progress.restore(&run);
    let mut input = run.input.clone();
    shared.secrets.put_back(run.id, &mut input);
    shared.uploads.locate(&process.fields(), run.id, &mut input);
    let cursor = run.books.cursor.clone();
    if run.attempt > 1 {
        progress.log(format!("attempt {}", run.attempt));
    }
    let states = shared.states.clone();
    let invocation = Invocation { progress: progress.clone(), states, input, cursor };
    if let Some(running) = shared.running().get_mut(&run.id) {
        running.progress = Some(progress.clone());
    }
    let omission = Omission::resumed(LogLimits::of(&limits), &*shared.store, run.id, last_seq).await;
    let body = body::start(process, invocation, run.attempt, Arc::clone(&shared.bodies));
    let now = Instant::now();
    let pump = Pump {
        news: News::new(progress.clone(), Arc::clone(&feed), omission, &run, &shared.settings),
        phase: shared.phase.subscribe(),
        timeout: process.policy.timeout.and_then(|timeout| now.checked_add(timeout)),
        give_up: None,
        pausing: false,
        held: now,
        shared,
        process,
        run,
        lease,
        progress,
        feed,
        nudge,
    };
    pump.run(body).await
}

struct Pump<'a> {
    shared: &'a Arc<Shared>,
    process: &'static Process,
    /// As it was claimed.
    run: Run,
    lease: Lease,
    progress: Progress,
    feed: Arc<Feed>,
    nudge: Arc<Notify>,
    phase: watch::Receiver<Phase>,
    /// What the body reports, on its way to viewers and to the store.
    news: News,
    /// When the body's time is up.
    timeout: Option<Instant>,
    /// The end that counts from this moment on, whether the body has stopped or not.
    give_up: Option<(Instant, End)>,
    /// Somebody asked for a pause.
    pausing: bool,
    /// When the store last said that the lease holds.
    held: Instant,
}

impl Pump<'_> {
    async fn run(mut self, mut body: oneshot::Receiver<End>) -> bool {
        let mut beat = Instant::now() + self.shared.settings.lease / 3;
        self.enter_phase();
        let end = loop {
            let silent_at = self.news.heard() + SILENCE;
            let give_up_at = self.give_up.as_ref().map(|(when, _)| *when);
            tokio::select! {
                end = &mut body => break end.unwrap_or_else(|_| {
                    // It cannot be, but a run must never hang on that.
                    End::Outcome(Outcome::Failed("the process ended without a word".into()))
                }),
                () = self.progress.parked() => break body::parked(self.process, &self.progress),
                next = self.news.next() => match next {
                    Next::Look => self.news.look(),
                    Next::Save => self.news.save(&self.shared.store, self.lease),
                    Next::Saved(Err(StoreError::Fenced)) => break End::LeaseLost,
                    Next::Saved(result) => self.news.saved(result),
                },
                () = self.nudge.notified() => match self.beat().await {
                    Some(next) => beat = next,
                    None => break End::LeaseLost,
                },
                () = sleep_until(beat) => match self.beat().await {
                    Some(next) => beat = next,
                    None => break End::LeaseLost,
                },
                () = sleep_until(silent_at) => self.news.ping(),
                _ = self.phase.changed() => self.enter_phase(),
                () = at(self.timeout) => self.time_is_up(),
                () = at(give_up_at) => {
                    if let Some((_, end)) = self.give_up.take() {
                        tracing::error!(run = %self.run.id, "the body did not stop: it is left alone");
                        break end;
                    }
                }
            }
        };
        let (end, left_out) = fitting::fit(end, &self.shared.settings.limits);
        if let Some(left_out) = left_out {
            self.progress.warn(left_out);
        }
        let failed = match &end {
            End::Error(error) => Some(error.clone()),
            _ => None,
        };
        let Some(verdict) = verdict::after(end, &self.run, self.pausing, self.process) else {
            self.progress.stop(Stop::LeaseLost);
            hand_over(self.shared, &self.feed);
            return false;
        };
        if let (Verdict::Release(_), Some(error)) = (&verdict, failed) {
            self.progress.warn(format!("attempt {} failed: {error}", self.run.attempt));
        }
        let Ok(batch) = self.news.last(&*self.shared.store, self.lease).await else {
            hand_over(self.shared, &self.feed);
            return false;
        };
        conclude(self.shared, &self.feed, self.lease, batch, verdict).await
    }

    /// Does what this phase of the node asks for.
    fn enter_phase(&mut self) {
        let phase = *self.phase.borrow_and_update();
        if phase >= Phase::Draining {
            self.progress.shut_down();
            self.progress.yield_asked(true);
        }
        if phase == Phase::Stopping {
            self.progress.stop(Stop::Yielded);
            self.give_up.get_or_insert((Instant::now() + super::LEAVE / 2, End::Yielded));
        }
    }

    fn time_is_up(&mut self) {
        let limit = self.timeout.take().and(self.process.policy.timeout).unwrap_or_default();
        let limit = jiff::SignedDuration::try_from(limit).unwrap_or_default();
        let outcome = Outcome::Failed(format!("it took longer than {limit:#}, which is all it may take"));
        self.progress.stop(Stop::Ended(outcome.clone()));
        self.give_up.get_or_insert((Instant::now() + LAST_WORDS, End::Outcome(outcome)));
    }

    /// Holds the run for longer, does what was asked of it, and says when to do so again. `None` when the
    /// run is somebody else's, or has ended.
    async fn beat(&mut self) -> Option<Instant> {
        let lease = self.shared.settings.lease;
        let beat = self.shared.store.heartbeat(self.lease, lease).await;
        match beat {
            Ok(Heartbeat::Lost) => return None,
            Ok(Heartbeat::Requested(Control::Cancel)) => {
                self.feed
                    .publish(|run| (run.status, run.pausing) = (RunStatus::Cancelling, false), Vec::new());
                self.progress.stop(Stop::Cancelled);
            }
            Ok(Heartbeat::Requested(Control::Pause)) => self.pause(true),
            Ok(Heartbeat::Held | Heartbeat::Requested(_)) => self.pause(false),
            Err(error) => {
                tracing::error!(run = %self.lease.run, "no heartbeat: {}", OneLine(&error));
                // Somebody else may hold it by now.
                let alive = self.held.elapsed() < lease;
                return alive.then(|| Instant::now() + TRY_AGAIN.min(lease / 3));
            }
        }
        self.held = Instant::now();
        Some(self.held + lease / 3)
    }

    fn pause(&mut self, asked: bool) {
        if self.pausing != asked {
            self.pausing = asked;
            self.feed.publish(|run| run.pausing = asked, Vec::new());
            let draining = *self.phase.borrow() >= Phase::Draining;
            self.progress.yield_asked(asked || draining);
        }
    }
}

/// Waits for this moment, and without one for ever.
pub(super) async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Stores what becomes of the run, however long that takes, and only then tells it. True when it has ended.
async fn conclude(
    shared: &Arc<Shared>,
    feed: &Arc<Feed>,
    lease: Lease,
    batch: Batch,
    verdict: Verdict,
) -> bool {
    loop {
        let stored = match &verdict {
            Verdict::Finish(outcome) => shared.store.finish(lease, batch.clone(), outcome.clone()).await,
            Verdict::Release(to) => shared.store.release(lease, batch.clone(), *to).await,
        };
        if stored.is_ok() {
            feed.stored(u64::MAX);
        }
        match stored {
            Ok(run) if run.status.is_terminal() => {
                feed.end(run);
                return true;
            }
            Ok(_) | Err(StoreError::Fenced) => {
                hand_over(shared, feed);
                return false;
            }
            Err(error) => {
                tracing::error!(run = %lease.run, "the end could not be stored, trying again: {}", OneLine(&error));
                sleep(TRY_AGAIN).await;
            }
        }
    }
}

/// The run waits, is somebody else's, or its end is stored already: the feed goes on from the store.
fn hand_over(shared: &Arc<Shared>, feed: &Arc<Feed>) {
    feed.executed_elsewhere();
    shared.feeds.follow(feed);
}
