//! Executes one claimed run: watches its body, control requests, deadlines and lease, and stores its end.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, oneshot, watch};
use tokio::time::{Instant, sleep, sleep_until};

use super::body::{self, End};
use super::fitting;
use super::lease::{Kept, LeaseKeeper};
use super::omission::{LogLimits, Omission};
use super::publisher::{Next, Publisher};
use super::report;
use super::timing::{RETRY_DELAY, at};
use super::verdict::{self, Verdict};
use super::{Inner, Phase};
use crate::feed::Feed;
use crate::feeds::SILENCE;
use crate::parameter::Invocation;
use crate::process::Process;
use crate::progress::{Progress, Stop};
use crate::run::{Outcome, Run, RunStatus};
use crate::store::{Batch, Claim, Control, Lease, StoreError};
use crate::text::OneLine;
use crate::throttle::Throttle;

/// How long a body may take to stop after its timeout, before the run ends without it.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

static NOT_STORED: Throttle = Throttle::every(Duration::from_secs(10));

/// Executes a run until it ends or is given up. Its claim was requested at `asked_at`. Returns true if it ended.
pub(super) async fn execute(
    shared: &Arc<Inner>,
    claim: Claim,
    asked_at: Instant,
    nudge: Arc<Notify>,
) -> bool {
    let (store, duration) = (Arc::clone(&shared.store), shared.settings.lease);
    let keeper = LeaseKeeper::start(store, claim.lease, duration, asked_at, nudge);
    let feed = shared.feeds.execute_here(claim.run.clone(), claim.last_seq);
    let process = match shared.registry.get(&claim.run.process) {
        Some(process) => verdict::before(&claim, process).map_or(Ok(process), Err),
        None => Err(verdict::orphaned(&claim.run)),
    };
    let process = match process {
        Ok(process) => process,
        Err(verdict) => {
            let batch = Batch { elapsed_ms: claim.run.elapsed_ms, ..Batch::default() };
            return conclude(shared, &feed, claim.lease, batch, verdict).await;
        }
    };
    let Claim { lease, run, last_seq, .. } = claim;
    // They are fixed when the run begins.
    let weights = match run.attempt {
        0 | 1 if run.progress.stage_weights.is_empty() => {
            Some(shared.stage_weights.of(&*shared.store, &run.process).await)
        }
        _ => None,
    };
    let (folder, limits) = (shared.files.join(run.id.to_string()), shared.settings.limits);
    let progress = Progress::new(run.id, &run.progress.title, Some(folder), last_seq, limits).with_store();
    progress.restore(&run);
    if let Some(weights) = weights {
        progress.weigh(weights);
    }
    let mut input = run.input.clone();
    shared.secrets.put_back(run.id, &mut input);
    shared.uploads.locate(&process.fields(), run.id, &mut input);
    let cursor = run.bookkeeping.cursor.clone();
    if run.attempt > 1 {
        progress.log(format!("attempt {}", run.attempt));
    }
    let states = shared.states.clone();
    let invocation = Invocation { progress: progress.clone(), states, input, cursor };
    if let Some(running) = shared.running.lock().get_mut(&lease) {
        running.progress = Some(progress.clone());
    }
    let omission = Omission::resumed(LogLimits::of(&limits), &*shared.store, run.id, last_seq).await;
    if keeper.is_lost() {
        // Before the body is called, so that nobody can observe that it ran.
        hand_over(shared, &feed);
        return false;
    }
    let body = body::start(process, invocation, run.attempt, Arc::clone(&shared.bodies));
    let now = Instant::now();
    let execution = Execution {
        publisher: Publisher::new(progress.clone(), Arc::clone(&feed), omission, &run, &shared.settings),
        phase: shared.phase.subscribe(),
        timeout: process.policy.timeout.and_then(|timeout| now.checked_add(timeout)),
        give_up: None,
        pausing: false,
        keeper,
        shared,
        process,
        run,
        lease,
        progress,
        feed,
    };
    execution.run(body).await
}

struct Execution<'a> {
    shared: &'a Arc<Inner>,
    process: &'static Process,
    /// The run at the time of its claim.
    run: Run,
    lease: Lease,
    progress: Progress,
    feed: Arc<Feed>,
    keeper: LeaseKeeper,
    phase: watch::Receiver<Phase>,
    /// Publishes what the body reports, to viewers and to the store.
    publisher: Publisher,
    /// When the body times out.
    timeout: Option<Instant>,
    /// From this moment on the run ends like this, whether the body has stopped or not.
    give_up: Option<(Instant, End)>,
    /// A pause was requested.
    pausing: bool,
}

impl Execution<'_> {
    async fn run(mut self, mut body: oneshot::Receiver<End>) -> bool {
        self.enter_phase();
        let end = loop {
            let silent_at = self.publisher.last_event() + SILENCE;
            let give_up_at = self.give_up.as_ref().map(|(when, _)| *when);
            tokio::select! {
                end = &mut body => break end.unwrap_or_else(|_| {
                    // This should not happen, but a run must never hang because of it.
                    End::Outcome(Outcome::Failed("the process ended unexpectedly".into()))
                }),
                () = self.progress.parked() => break body::parked(self.process, &self.progress),
                next = self.publisher.next() => match next {
                    Next::Look => self.publisher.look(),
                    Next::Save => self.publisher.save(&self.shared.store, self.lease),
                    Next::Saved(Err(StoreError::Fenced)) => break End::LeaseLost,
                    Next::Saved(result) => self.publisher.saved(result),
                },
                kept = self.keeper.changed() => match kept {
                    Kept::Held(asked) => self.asked(asked),
                    Kept::Lost => break End::LeaseLost,
                },
                () = sleep_until(silent_at) => self.publisher.ping(),
                _ = self.phase.changed() => self.enter_phase(),
                () = at(self.timeout) => self.time_is_up(),
                () = at(give_up_at) => {
                    if let Some((_, end)) = self.give_up.take() {
                        tracing::error!(run = %self.run.id, "the body did not stop; the run ends without it");
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
            End::Error(failure) => Some(failure.clone()),
            _ => None,
        };
        let Some(verdict) = verdict::after(end, &self.run, self.pausing, self.process) else {
            self.progress.stop(Stop::LeaseLost);
            hand_over(self.shared, &self.feed);
            return false;
        };
        match (&verdict, failed) {
            (Verdict::Release(_), Some(failure)) => {
                self.progress.warn(format!("attempt {} failed: {}", self.run.attempt, failure.chain()));
                report::attempt_failed(&self.run, &failure);
            }
            (Verdict::Finish(Outcome::Failed(failure)), _) => self.progress.failed(&failure.chain()),
            _ => {}
        }
        let Ok(batch) = self.publisher.last(&*self.shared.store, self.lease).await else {
            hand_over(self.shared, &self.feed);
            return false;
        };
        // The lease is renewed until the end is stored.
        conclude(self.shared, &self.feed, self.lease, batch, verdict).await
    }

    /// Reacts to the current phase of the node.
    fn enter_phase(&mut self) {
        let phase = *self.phase.borrow_and_update();
        if phase >= Phase::Draining {
            self.progress.shut_down();
            self.progress.yield_asked(true);
        }
        if phase == Phase::Stopping {
            self.progress.stop(Stop::Yielded);
            self.give_up.get_or_insert((Instant::now() + super::BODY_STOP_TIMEOUT / 2, End::Yielded));
        }
    }

    fn time_is_up(&mut self) {
        let limit = self.timeout.take().and(self.process.policy.timeout).unwrap_or_default();
        let limit = jiff::SignedDuration::try_from(limit).unwrap_or_default();
        let outcome = Outcome::Failed(format!("timed out after {limit:#}").into());
        self.progress.stop(Stop::Ended(outcome.clone()));
        self.give_up.get_or_insert((Instant::now() + STOP_TIMEOUT, End::Outcome(outcome)));
    }

    /// Carries out a control request.
    fn asked(&mut self, control: Option<Control>) {
        if control == Some(Control::Cancel) {
            self.feed.publish(|run| (run.status, run.pausing) = (RunStatus::Cancelling, false), Vec::new());
            self.progress.stop(Stop::Cancelled);
        } else {
            self.pause(control == Some(Control::Pause));
        }
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

/// Stores the end or the release of the run, however long that takes, and only then publishes it. Returns true if the
/// run ended.
async fn conclude(
    shared: &Arc<Inner>,
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
                if run.status == RunStatus::Succeeded {
                    shared.stage_weights.learn(&run);
                }
                report::ended(&run, &verdict);
                feed.end(run);
                return true;
            }
            Ok(_) | Err(StoreError::Fenced) => {
                hand_over(shared, feed);
                return false;
            }
            Err(error) => {
                if let Some(left_out) = NOT_STORED.admit() {
                    tracing::error!(
                        run = %lease.run,
                        "could not store the end of the run, trying again: {}{left_out}",
                        OneLine(&error)
                    );
                }
                sleep(RETRY_DELAY).await;
            }
        }
    }
}

/// Ends a run whose execution failed because of a bug in this crate, so that it does not appear to be running. Returns
/// true if it ended.
pub(super) async fn abort(shared: &Arc<Inner>, lease: Lease, run: Run, last_seq: u64) -> bool {
    tracing::error!(run = %run.id, "the execution of the run failed; this is a bug in process-runtime, please report it");
    let progress = shared.running.lock().get(&lease).and_then(|running| running.progress.clone());
    progress.inspect(|progress| progress.stop(Stop::LeaseLost));
    let batch = Batch { elapsed_ms: run.elapsed_ms, ..Batch::default() };
    let feed = shared.feeds.execute_here(run, last_seq);
    let outcome = Outcome::Failed("a server error ended the run: see the server's log".into());
    conclude(shared, &feed, lease, batch, Verdict::Finish(outcome)).await
}

/// The run is queued or paused, held by another node, or its end is stored already: the feed continues from the store.
fn hand_over(shared: &Arc<Inner>, feed: &Arc<Feed>) {
    feed.executed_elsewhere();
    shared.feeds.follow(feed);
}
