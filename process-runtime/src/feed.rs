//! Owns the live side of a run: its latest progress and recent log, encoded once, shared by all viewers.
//! Refuses to know where the news comes from, how it is stored and how it travels.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;

use crate::run::{LogLine, Run, RunId, RunStatus};
use crate::wire::{Changing, Ended, Lines, Ping, Position, event};

mod due;
mod news;
mod openings;

use due::Joined;
pub(crate) use due::{Due, Seen};
pub(crate) use news::News;
use news::Waiting;
use openings::Openings;

/// How many recent lines stay at hand; older ones are read from the store.
const RECENT_LINES: usize = 2_000;
/// How much text these lines may hold, in bytes.
const RECENT_BYTES: usize = 1 << 20;

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
    recent: VecDeque<LogLine>,
    recent_bytes: usize,
    chunks: VecDeque<Lines>,
    /// The number of the last line published.
    last_seq: u64,
    /// The number of the last line that is not in `recent` any more, or never was.
    evicted: u64,
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
    /// What was lately given to viewers, by what they had seen: most have seen the same.
    joined: VecDeque<Joined>,
    /// What was lately given to viewers who had seen nothing.
    openings: Openings,
    /// True while the run is executed here: then nobody else publishes.
    executed_here: bool,
}

impl Live {
    /// The run as it is at this moment.
    fn run_now(&self) -> Run {
        let mut run = self.run.clone();
        if matches!(run.status, RunStatus::Running | RunStatus::Cancelling) {
            run.elapsed_ms += u64::try_from(self.clock.elapsed().as_millis()).unwrap_or(0);
        }
        run
    }

    fn position(&self) -> Position {
        Position::of(self.run.id, self.run.attempt, self.last_seq)
    }
}

impl Feed {
    /// The feed of a run as the store knows it, with `last_seq` lines in its log.
    pub(crate) fn new(run: Run, last_seq: u64) -> Arc<Self> {
        let id = run.id;
        let live = Live {
            clock: Instant::now(),
            recent: VecDeque::new(),
            recent_bytes: 0,
            chunks: VecDeque::new(),
            last_seq,
            evicted: last_seq,
            progress: Bytes::new(),
            progress_seq: last_seq,
            progress_version: 0,
            ping: Bytes::new(),
            pulse: 0,
            end: None,
            closed: false,
            version: 0,
            joined: VecDeque::new(),
            openings: Openings::default(),
            executed_here: false,
            run,
        };
        let feed = Self { id, live: Mutex::new(live), waiting: Waiting::default() };
        let run = feed.live().run.clone();
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
        self.live().last_seq
    }

    /// Says that the run is executed here, from this record and this last line on.
    pub(crate) fn execute_here(&self, run: Run, last_seq: u64) {
        let mut live = self.live();
        live.executed_here = true;
        if last_seq > live.last_seq {
            // Lines that were stored before, and that nobody here has seen.
            live.recent.clear();
            live.chunks.clear();
            (live.recent_bytes, live.last_seq, live.evicted) = (0, last_seq, last_seq);
        }
        drop(live);
        self.publish(|live| *live = run, &[]);
    }

    /// Says that the run is executed elsewhere, if at all: whoever follows the store publishes.
    pub(crate) fn executed_elsewhere(&self) {
        self.live().executed_here = false;
    }

    pub(crate) fn is_executed_here(&self) -> bool {
        self.live().executed_here
    }

    /// The run as it was last published, with the time it has run for by now.
    pub(crate) fn run(&self) -> Run {
        self.live().run_now()
    }

    /// True when nothing follows: the run has ended, or the server is going away.
    pub(crate) fn is_over(&self) -> bool {
        let live = self.live();
        live.end.is_some() || live.closed
    }

    /// Publishes what is new: lines, and the changing part of the run if `change` changes it.
    ///
    /// `change` also sets for how long the run has run by now. Returns false when nothing was new.
    pub(crate) fn publish(&self, change: impl FnOnce(&mut Run), lines: &[LogLine]) -> bool {
        let mut live = self.live();
        if live.end.is_some() {
            return false;
        }
        let before = state(&live.run);
        change(&mut live.run);
        let skip = lines.partition_point(|line| line.seq <= live.last_seq);
        let lines = lines.get(skip..).unwrap_or_default();
        if let Some(last) = lines.last() {
            let encoded = Lines::encode(self.id, live.run.attempt, lines);
            live.last_seq = last.seq;
            live.recent_bytes += lines.iter().map(|line| line.text.len()).sum::<usize>();
            live.recent.extend(lines.iter().cloned());
            live.chunks.extend(encoded);
            evict(&mut live);
        }
        let same = before == state(&live.run);
        live.clock = Instant::now();
        if !same {
            live.progress = event(live.position(), "progress", &Changing::of(&live.run));
            live.progress_seq = live.last_seq;
            live.progress_version += 1;
        }
        let news = !same || !lines.is_empty();
        if news {
            self.wake(live);
        }
        news
    }

    /// Publishes the end. Nothing follows it.
    pub(crate) fn end(&self, run: Run) {
        let mut live = self.live();
        if live.end.is_some() {
            return;
        }
        let position = Position { ended: true, ..Position::of(run.id, run.attempt, live.last_seq) };
        live.end = Some(event(position, "end", &Ended::of(&run)));
        // Whoever comes now is told the end at once, and not how it came to it.
        live.openings = Openings::default();
        live.run = run;
        live.executed_here = false;
        self.wake(live);
    }

    /// Publishes a sign of life.
    pub(crate) fn ping(&self) {
        let mut live = self.live();
        live.pulse += 1;
        live.ping = event(live.position(), "ping", &Ping { run: self.id });
        self.wake(live);
    }

    /// Closes all streams without an end: the server is going away, the run's story is not over.
    pub(crate) fn close(&self) {
        let mut live = self.live();
        live.closed = true;
        self.wake(live);
    }

    /// Says when there is more than there is now.
    pub(crate) fn news(self: &Arc<Self>) -> News {
        News::of(Arc::clone(self))
    }

    /// The run at this moment, with the lines at hand that come after `seq`, and what a viewer has seen who is
    /// told all this.
    pub(crate) fn opening(&self, seq: u64) -> (Opening, Seen) {
        let live = self.live();
        let first = live.recent.partition_point(|line| line.seq <= seq);
        let opening = Opening {
            run: live.run_now(),
            recent: live.recent.range(first..).cloned().collect(),
            evicted: live.evicted,
            last_seq: live.last_seq,
            closed: live.closed,
        };
        (opening, live.seen())
    }

    /// What is due to a viewer who has seen so much, and by that has seen it.
    pub(crate) fn due(&self, seen: &mut Seen) -> Due {
        self.live().due(seen)
    }

    fn wake(&self, mut live: MutexGuard<'_, Live>) {
        live.version += 1;
        drop(live);
        self.waiting.wake();
    }

    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a progress event tells of a run, but for its time.
fn state(run: &Run) -> impl PartialEq + use<> {
    (run.status, run.pausing, run.stalled, run.due_at, run.attempt, run.progress.clone())
}

/// Lets go of whole chunks, oldest first; the last one always stays.
fn evict(live: &mut Live) {
    while live.chunks.len() > 1 && (live.recent.len() > RECENT_LINES || live.recent_bytes > RECENT_BYTES) {
        let Some(chunk) = live.chunks.pop_front() else { break };
        for line in live.recent.drain(..chunk.len()) {
            live.recent_bytes -= line.text.len();
        }
        live.evicted = chunk.last_seq();
    }
}

/// What a viewer is told first: the run, and the lines that are at hand.
#[derive(Debug)]
pub(crate) struct Opening {
    pub(crate) run: Run,
    /// Lines at hand, in order.
    pub(crate) recent: Vec<LogLine>,
    /// Lines up to this number are in the store, if anywhere.
    pub(crate) evicted: u64,
    /// The number of the run's last line.
    pub(crate) last_seq: u64,
    /// Nothing follows here: the server is going away.
    pub(crate) closed: bool,
}

#[cfg(test)]
mod tests;
