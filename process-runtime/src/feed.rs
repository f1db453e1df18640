//! Owns the live side of a run: its latest progress and recent log, encoded once, shared by all viewers.
//! Refuses to know where the news comes from, how it is stored and how it travels.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::watch;

use crate::run::{LogLine, Run, RunId, RunStatus};
use crate::wire::{Changing, Ended, Lines, Position, event};

/// How many recent lines stay at hand; older ones are read from the store.
const RECENT_LINES: usize = 2_000;
/// How much text these lines may hold, in bytes.
const RECENT_BYTES: usize = 1 << 20;

/// The live side of one run.
#[derive(Debug)]
pub(crate) struct Feed {
    id: RunId,
    live: Mutex<Live>,
    /// Rises with everything published. Level-triggered: whoever comes late still sees that it rose.
    version: watch::Sender<u64>,
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
    progress_version: u64,
    pulse: u64,
    end: Option<Bytes>,
    closed: bool,
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
            progress_version: 0,
            pulse: 0,
            end: None,
            closed: false,
            executed_here: false,
            run,
        };
        let feed = Self { id, live: Mutex::new(live), version: watch::Sender::new(0) };
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
            live.chunks.push_back(encoded);
            evict(&mut live);
        }
        let same = live.progress_version > 0 && before == state(&live.run);
        live.clock = Instant::now();
        if !same {
            live.progress = event(live.position(), "progress", &Changing::of(&live.run));
            live.progress_version += 1;
        }
        let news = !same || !lines.is_empty();
        drop(live);
        if news {
            self.wake();
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
        live.run = run;
        live.executed_here = false;
        drop(live);
        self.wake();
    }

    /// Publishes a sign of life.
    pub(crate) fn ping(&self) {
        self.live().pulse += 1;
        self.wake();
    }

    /// Closes all streams without an end: the server is going away, the run's story is not over.
    pub(crate) fn close(&self) {
        self.live().closed = true;
        self.wake();
    }

    fn wake(&self) {
        self.version.send_modify(|version| *version += 1);
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
    /// Lines at hand, in order: all after `evicted`.
    pub(crate) recent: Vec<LogLine>,
    /// Lines up to this number are in the store, if anywhere.
    pub(crate) evicted: u64,
    /// The number of the run's last line.
    pub(crate) last_seq: u64,
}

/// One viewer's place in a feed: numbers, not a queue.
#[derive(Debug)]
pub(crate) struct Viewer {
    feed: Arc<Feed>,
    changed: watch::Receiver<u64>,
    seq: u64,
    progress_version: u64,
    pulse: u64,
    ended: bool,
}

/// What is due to a viewer.
#[derive(Debug)]
pub(crate) enum Due {
    /// These bytes, in one write.
    Bytes(Vec<Bytes>),
    /// It is so far behind that a fresh opening is due.
    Opening,
    /// Nothing here: the server is going away, and the run's story goes on elsewhere or later.
    Elsewhere,
    /// Nothing, ever again.
    Nothing,
}

impl Viewer {
    /// A new viewer, and what it is to be told first.
    pub(crate) fn open(feed: Arc<Feed>) -> (Self, Opening) {
        let changed = feed.version.subscribe();
        let mut viewer = Self { feed, changed, seq: 0, progress_version: 0, pulse: 0, ended: false };
        let opening = viewer.reopen();
        (viewer, opening)
    }

    /// Places the viewer at the present.
    pub(crate) fn reopen(&mut self) -> Opening {
        self.changed.mark_unchanged();
        let live = self.feed.live();
        self.seq = live.last_seq;
        self.progress_version = live.progress_version;
        self.pulse = live.pulse;
        Opening {
            run: live.run_now(),
            recent: live.recent.iter().cloned().collect(),
            evicted: live.evicted,
            last_seq: live.last_seq,
        }
    }

    /// The last line it was given, as a position.
    pub(crate) fn position(&self) -> Position {
        Position { seq: self.seq, ..self.feed.live().position() }
    }

    /// Waits until something is due.
    pub(crate) async fn due(&mut self) -> Due {
        loop {
            // Marked before looking: what is published while we look wakes us again.
            self.changed.mark_unchanged();
            if let Some(due) = self.look() {
                return due;
            }
            if self.changed.changed().await.is_err() {
                return Due::Nothing;
            }
        }
    }

    fn look(&mut self) -> Option<Due> {
        if self.ended {
            return Some(Due::Nothing);
        }
        let live = self.feed.live();
        if self.seq < live.evicted {
            return Some(Due::Opening);
        }
        let first = live.chunks.partition_point(|chunk| chunk.last_seq() <= self.seq);
        let mut bytes: Vec<Bytes> =
            live.chunks.iter().skip(first).filter_map(|c| c.after(self.seq)).collect();
        self.seq = live.last_seq;
        if self.progress_version < live.progress_version {
            self.progress_version = live.progress_version;
            bytes.push(live.progress.clone());
        }
        if let Some(end) = &live.end {
            self.ended = true;
            bytes.push(end.clone());
        } else if live.closed && bytes.is_empty() {
            self.ended = true;
            return Some(Due::Elsewhere);
        } else if self.pulse < live.pulse && bytes.is_empty() {
            bytes.push(event(live.position(), "ping", &serde_json::json!({})));
        }
        self.pulse = live.pulse;
        match (bytes.is_empty(), self.ended) {
            (false, _) => Some(Due::Bytes(bytes)),
            (true, true) => Some(Due::Nothing),
            (true, false) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value};

    use super::*;
    use crate::run::{Level, Outcome};

    fn run() -> Run {
        let mut run = Run::queued("count", "Counting", Map::new());
        (run.status, run.attempt) = (RunStatus::Running, 1);
        run
    }

    fn line(seq: u64) -> LogLine {
        LogLine { seq, at: jiff::Timestamp::now(), level: Level::Info, text: format!("line {seq}") }
    }

    async fn text(viewer: &mut Viewer) -> String {
        match viewer.due().await {
            Due::Bytes(bytes) => {
                bytes.iter().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect()
            }
            other => format!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_viewer_gets_every_line_once_and_the_latest_progress() {
        let feed = Feed::new(run(), 0);
        let (mut viewer, opening) = Viewer::open(Arc::clone(&feed));
        assert_eq!((opening.recent.len(), opening.last_seq), (0, 0));
        let mut news = run();
        for step in 1..=3 {
            news.progress.percent = Some(f64::from(step));
            feed.publish(|run| run.clone_from(&news), &[line(step as u64)]);
        }
        let seen = text(&mut viewer).await;
        assert_eq!(seen.matches("event: log").count(), 3);
        assert_eq!(seen.matches("event: progress").count(), 1);
        assert!(seen.contains("\"percent\":3.0"));
        let mut record = crate::store::Record::new(news, None);
        record.finish(Outcome::Succeeded(Value::Null), jiff::Timestamp::now());
        let news = record.run;
        feed.end(news);
        assert!(text(&mut viewer).await.contains("event: end"));
        assert_eq!(text(&mut viewer).await, "Nothing");
    }

    #[tokio::test]
    async fn nothing_is_sent_when_nothing_changed() {
        let feed = Feed::new(run(), 0);
        assert!(feed.publish(|_| (), &[]));
        assert!(!feed.publish(|_| (), &[]));
        assert!(!feed.publish(|_| (), &[line(0)]));
    }

    #[tokio::test]
    async fn a_viewer_that_fell_behind_is_told_to_open_again() {
        let feed = Feed::new(run(), 0);
        let (mut viewer, _) = Viewer::open(Arc::clone(&feed));
        for start in 0..30 {
            let lines: Vec<_> = (start * 100 + 1..=start * 100 + 100).map(line).collect();
            feed.publish(|_| (), &lines);
        }
        assert_eq!(text(&mut viewer).await, "Opening");
        let opening = viewer.reopen();
        assert_eq!((opening.evicted, opening.recent.len(), opening.last_seq), (1_000, RECENT_LINES, 3_000));
        feed.publish(|_| (), &[line(3_001)]);
        assert_eq!(text(&mut viewer).await.matches("event: log").count(), 1);
    }
}
