//! The live side of a run: its latest progress and recent log, encoded once, shared by all viewers. A line stays here
//! until the store has it, so that each is in one of the two at any moment.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};

use crate::run::{LogLine, Run, RunId, RunStatus};
use crate::wire::{Changing, Ended, Ping, Position, event};

mod kept;
mod pending;
mod snapshots;
mod subscription;

use kept::KeptLines;
pub(crate) use kept::Next;
use pending::Joined;
pub(crate) use pending::{Offset, Pending};
use snapshots::Snapshots;
pub(crate) use subscription::Subscription;
use subscription::Waiting;

/// The live side of one run.
#[derive(Debug)]
pub(crate) struct Feed {
    id: RunId,
    live: Mutex<Live>,
    /// Woken by everything published.
    waiting: Waiting,
}

#[derive(Debug)]
struct Live {
    run: Run,
    /// When `run.elapsed_ms` was right.
    clock: Instant,
    /// The run is being ended by force: its time does not advance any more.
    clock_stands: bool,
    lines: KeptLines,
    progress: Bytes,
    /// The number of the last line before it.
    progress_seq: u64,
    progress_version: u64,
    ping: Bytes,
    pulse: u64,
    end: Option<Bytes>,
    closed: bool,
    /// Rises with everything published.
    version: u64,
    /// Recent event groups, by the position of their viewers: most viewers have the same position.
    joined: VecDeque<Joined>,
    /// Recent snapshots for new viewers.
    openings: Snapshots,
    /// True while this node executes the run and is the only publisher.
    executed_here: bool,
}

impl Live {
    /// The run as it is at this moment.
    fn run_now(&self) -> Run {
        let mut run = self.run.clone();
        if matches!(run.status, RunStatus::Running | RunStatus::Cancelling) && !self.clock_stands {
            run.elapsed_ms += u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(0);
        }
        run
    }

    fn position(&self) -> Position {
        Position::of(self.run.id, self.run.attempt, self.lines.last_seq)
    }

    /// Continues after this line, and forgets later lines.
    fn go_on_from(&mut self, last_seq: u64) {
        self.lines = KeptLines::after(last_seq);
        self.progress_seq = last_seq;
        self.joined.clear();
        self.openings = Snapshots::default();
    }
}

impl Feed {
    /// Creates the feed of a run from its stored state, with `last_seq` lines in its log.
    pub(crate) fn new(run: Run, last_seq: u64) -> Arc<Self> {
        let id = run.id;
        let live = Live {
            clock: Instant::now(),
            clock_stands: false,
            lines: KeptLines::after(last_seq),
            progress: Bytes::new(),
            progress_seq: last_seq,
            progress_version: 0,
            ping: Bytes::new(),
            pulse: 0,
            end: None,
            closed: false,
            version: 0,
            joined: VecDeque::new(),
            openings: Snapshots::default(),
            executed_here: false,
            run,
        };
        let feed = Self { id, live: Mutex::new(live), waiting: Waiting::default() };
        let run = feed.live.lock().run.clone();
        if run.status.is_terminal() {
            feed.end(run);
        }
        Arc::new(feed)
    }

    pub(crate) fn id(&self) -> RunId {
        self.id
    }

    /// The number of the last line published.
    pub(crate) fn last_seq(&self) -> u64 {
        self.live.lock().lines.last_seq
    }

    /// This node executes the run, from this record and this last line on.
    pub(crate) fn execute_here(&self, run: Run, last_seq: u64) {
        let mut live = self.live.lock();
        live.executed_here = true;
        // Lines that were stored but never published here, or that were published here and lost.
        if last_seq != live.lines.last_seq {
            live.go_on_from(last_seq);
        }
        drop(live);
        self.publish(|live| *live = run, &[]);
    }

    /// This node does not execute the run: its follower publishes the stored state. Lines that are not stored are no
    /// longer part of its log.
    pub(crate) fn executed_elsewhere(&self) {
        let mut live = self.live.lock();
        live.executed_here = false;
        let stored = live.lines.stored;
        if stored < live.lines.last_seq {
            live.go_on_from(stored);
            self.wake(live);
        }
    }

    pub(crate) fn is_executed_here(&self) -> bool {
        self.live.lock().executed_here
    }

    /// The run as it was last published, with the time it has run for by now.
    pub(crate) fn run(&self) -> Run {
        self.live.lock().run_now()
    }

    /// True when nothing follows: the run has ended, or the server is going away.
    pub(crate) fn is_over(&self) -> bool {
        let live = self.live.lock();
        live.end.is_some() || live.closed
    }

    /// Publishes new lines, and the changing part of the run if `change` changes it.
    ///
    /// `change` also sets for how long the run has run by now. Returns false when nothing was new.
    pub(crate) fn publish(&self, change: impl FnOnce(&mut Run), lines: impl Into<Vec<LogLine>>) -> bool {
        let mut live = self.live.lock();
        if live.end.is_some() {
            return false;
        }
        let before = state(&live.run);
        // Whatever is published: the time of a run never goes back.
        live.run.elapsed_ms = live.run_now().elapsed_ms;
        let elapsed_ms = live.run.elapsed_ms;
        change(&mut live.run);
        let latest = if live.clock_stands { elapsed_ms } else { live.run.elapsed_ms };
        live.run.elapsed_ms = latest.max(elapsed_ms);
        let Live { run, lines: kept, executed_here, .. } = &mut *live;
        let has_lines = kept.add(run, lines.into());
        if !*executed_here {
            // They come from there.
            kept.store_up_to(u64::MAX);
        }
        let same = before == state(&live.run);
        live.clock = Instant::now();
        if !same {
            live.progress = event(live.position(), "progress", &Changing::of(&live.run));
            live.progress_seq = live.lines.last_seq;
            live.progress_version += 1;
        }
        let changed = !same || has_lines;
        if changed {
            self.wake(live);
        }
        changed
    }

    /// Publishes the end. Nothing follows it.
    pub(crate) fn end(&self, run: Run) {
        let mut live = self.live.lock();
        if live.end.is_some() {
            return;
        }
        let position = Position { ended: true, ..Position::of(run.id, run.attempt, live.lines.last_seq) };
        live.end = Some(event(position, "end", &Ended::of(&run)));
        // A new viewer gets the end immediately, without the course of the run.
        live.openings = Snapshots::default();
        live.run = run;
        live.executed_here = false;
        self.wake(live);
    }

    /// Stops or restarts the clock of the run. Stopped before the store ends the run by force, so that no viewer is told a
    /// later time than that of the end.
    pub(crate) fn stop_clock(&self, stands: bool) {
        let mut live = self.live.lock();
        live.run.elapsed_ms = live.run_now().elapsed_ms;
        live.clock = Instant::now();
        live.clock_stands = stands;
    }

    /// Publishes a sign of life.
    pub(crate) fn ping(&self) {
        let mut live = self.live.lock();
        live.pulse += 1;
        live.ping = event(live.position(), "ping", &Ping { run: self.id });
        self.wake(live);
    }

    /// Closes all streams without an end: the server is going away, the run's story is not over.
    pub(crate) fn close(&self) {
        let mut live = self.live.lock();
        live.closed = true;
        self.wake(live);
    }

    /// Subscribes to new events.
    pub(crate) fn subscribe(self: &Arc<Self>) -> Subscription {
        Subscription::of(Arc::clone(self))
    }

    /// The current state of the run, with up to this many of its last lines that are in memory, and the position after
    /// them. The lines have at most this many bytes.
    pub(crate) fn snapshot(&self, lines: usize, bytes: usize) -> (Snapshot, Offset) {
        let live = self.live.lock();
        let opening = Snapshot {
            run: live.run_now(),
            recent: live.lines.last(lines, bytes),
            evicted: live.lines.evicted,
            last_seq: live.lines.last_seq,
            closed: live.closed,
        };
        (opening, live.seen())
    }

    /// The lines after this one, or where they are: at most this many bytes, but at least one line.
    pub(crate) fn next_lines(&self, seq: u64, bytes: usize) -> Next {
        self.live.lock().lines.next(seq, bytes)
    }

    /// The lines up to this one that are not stored yet: at most this many bytes, but at least one line.
    pub(crate) fn unstored(&self, until: u64, bytes: usize) -> Vec<LogLine> {
        self.live.lock().lines.unstored(until, bytes)
    }

    /// How many bytes of lines are not stored yet.
    pub(crate) fn unstored_size(&self) -> usize {
        self.live.lock().lines.unstored_size()
    }

    /// The store has all lines up to this one.
    pub(crate) fn stored(&self, seq: u64) {
        self.live.lock().lines.store_up_to(seq);
    }

    /// The pending events of a viewer at position `seen`, which advances.
    pub(crate) fn due(&self, seen: &mut Offset) -> Pending {
        self.live.lock().due(seen)
    }

    /// The latest progress, for a viewer that is behind with the lines. It has no position, because the viewer has not
    /// received the lines before it.
    pub(crate) fn late_progress(&self, seen: &mut Offset) -> Option<[Bytes; 2]> {
        self.live.lock().late_progress(seen)
    }

    fn wake(&self, mut live: MutexGuard<'_, Live>) {
        live.version += 1;
        drop(live);
        self.waiting.wake();
    }
}

/// The content of a progress event, except for its time.
fn state(run: &Run) -> impl PartialEq + use<> {
    (run.status, run.pausing, run.stalled, run.due_at, run.attempt, run.progress.clone())
}

/// The first event for a viewer: the run, and the lines in memory.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) run: Run,
    /// The last lines in memory, in order.
    pub(crate) recent: Vec<LogLine>,
    /// Lines up to this number are in the store.
    pub(crate) evicted: u64,
    /// The number of the run's last line.
    pub(crate) last_seq: u64,
    /// Nothing follows here: the server is going away.
    pub(crate) closed: bool,
}

#[cfg(test)]
mod tests;
