//! The handle through which a process reports: a few atomics on the hot path, a short lock for texts.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

use jiff::Timestamp;
use tokio::sync::Notify;

use crate::artifact;
use crate::limits::Limits;
use crate::number::{Count, Percent};
use crate::run::{Level, LogLine, ProgressState, RunFile, RunId};
use crate::text::clip;

mod facts;
mod lines;
mod numbers;
mod record;
mod save;
mod watch;

use facts::Facts;
use lines::Lines;
pub(crate) use numbers::Numbers;
pub(crate) use record::{Interruption, Recording};
use record::{Recorder, Report};
pub(crate) use save::REPEAT_AT_MOST;
use save::Saves;
pub(crate) use watch::{Stop, Unwound, leave};

/// Set when the reader sleeps and wants to be woken by the next change.
const ARMED: u8 = 1;
/// Set when the reader has just seen a change, and wants to be woken by a new line alone.
const ARMED_FOR_LINES: u8 = 32;
/// Set when the body is to stop, for the reason in the slow part.
const STOP: u8 = 2;
/// Set while the body is being dropped: its destructors may report, and are not stopped again.
const CLOSING: u8 = 4;
/// Set from before the body starts when every report is recorded, as in a test.
const WATCHED: u8 = 8;
/// Set when the program is asked to end, and the body would do well to come to its own end.
const SHUTTING_DOWN: u8 = 16;

/// The handle a process reports through.
///
/// Cheap to clone and usable from any thread. A process can take it as a parameter; the free helpers
/// ([`set_progress_of`](crate::set_progress_of) and its siblings) are the same methods on the current
/// run's handle.
///
/// ```
/// use process_runtime::Progress;
///
/// # let progress = Progress::detached();
/// let worker = progress.clone();
/// std::thread::spawn(move || worker.set_progress_of(3, 4)).join().unwrap();
/// assert_eq!(progress.state().percent, Some(75.0));
/// ```
#[derive(Clone)]
pub struct Progress(Arc<Inner>);

struct Inner {
    run: RunId,
    folder: Option<PathBuf>,
    /// How long its texts may be, and how many files it may offer.
    limits: Limits,
    hot: Hot,
    slow: Mutex<Slow>,
    /// The reader waits here, after it has set `ARMED`.
    changed: Notify,
    /// The executor waits here for `STOP`.
    stopped: Notify,
    /// The reader waits here for a save that waits for it.
    save_waits: Notify,
    /// The executor waits here for a thread that never returns.
    parked: Notify,
    /// Saves wait here, with the slow part.
    room: Condvar,
}

/// All that a report of the bar touches, on a cache line that nothing else is written to.
#[repr(align(128))]
struct Hot {
    /// The two [`Numbers`]. The total is changed with the slow part locked.
    current: AtomicU64,
    total: AtomicU64,
    flags: AtomicU8,
}

#[derive(Default)]
struct Slow {
    title: String,
    text: String,
    facts: Facts,
    lines: Lines,
    last_seq: u64,
    files: Vec<RunFile>,
    /// True when the reader has not seen them like this.
    new_files: bool,
    stop: Option<Stop>,
    /// The thread that drops the body, while `CLOSING` is set.
    closing: Option<ThreadId>,
    recorder: Option<Box<Recorder>>,
    saves: Saves,
}

impl Slow {
    fn next_line(&mut self, at: Timestamp, level: Level, text: String) -> LogLine {
        self.last_seq += 1;
        LogLine { seq: self.last_seq, at, level, text }
    }
}

impl Progress {
    /// A handle for the run `run`, whose files go into `folder` and whose log goes on after `last_seq`.
    pub(crate) fn new(
        run: RunId,
        title: &str,
        folder: Option<PathBuf>,
        last_seq: u64,
        limits: Limits,
    ) -> Self {
        let slow = Slow { title: clip(title, limits.max_title_bytes), last_seq, ..Slow::default() };
        Self(Arc::new(Inner {
            run,
            folder,
            limits,
            hot: Hot {
                current: AtomicU64::new(Numbers::UNKNOWN.current),
                total: AtomicU64::new(Numbers::UNKNOWN.total),
                flags: AtomicU8::new(0),
            },
            slow: Mutex::new(slow),
            changed: Notify::new(),
            stopped: Notify::new(),
            save_waits: Notify::new(),
            parked: Notify::new(),
            room: Condvar::new(),
        }))
    }

    /// A handle that belongs to no stored run: for calling a process's parts in a unit test.
    pub fn detached() -> Self {
        Self::new(RunId::new(), "", None, 0, Limits::DEFAULT)
    }

    /// Like [`detached`](Self::detached), with a folder that artifacts are moved into.
    pub fn detached_in(folder: impl Into<PathBuf>) -> Self {
        Self::new(RunId::new(), "", Some(folder.into()), 0, Limits::DEFAULT)
    }

    /// The run this handle reports for.
    pub fn run_id(&self) -> RunId {
        self.0.run
    }

    /// Sets the percentage: 0 to 100, in any number type.
    ///
    /// Values outside are clamped; a NaN means that nobody knows.
    #[inline]
    pub fn set_progress(&self, percent: impl Percent) {
        self.set_numbers(Numbers::percent(percent.to_percent()));
    }

    /// Sets the step the run is at and the number of steps; the percentage follows.
    ///
    /// A total of 0 means that nobody knows the total; a step beyond the total counts as the total,
    /// a negative one as 0. Costs a few nanoseconds, so it can be called for every item.
    #[inline]
    pub fn set_progress_of(&self, current: impl Count, total: impl Count) {
        self.set_numbers(Numbers::steps(current.to_count(), total.to_count()));
    }

    /// Sets the line under the bar.
    pub fn set_progress_text(&self, text: impl Into<String>) {
        let text = clip(text, self.0.limits.max_text_bytes);
        let mut slow = self.slow();
        slow.record(Report::Text(&text));
        slow.text = text;
        drop(slow);
        self.touched();
    }

    /// Sets the title, in place of the one the process was declared with.
    pub fn set_title(&self, title: impl Into<String>) {
        let title = clip(title, self.0.limits.max_title_bytes);
        let mut slow = self.slow();
        slow.record(Report::Title(&title));
        slow.title = title;
        drop(slow);
        self.touched();
    }

    /// Hands the finished file at `path` to the run, which offers it for download as `name`.
    ///
    /// The file is moved into the run's own folder. Only the last part of `name` counts.
    ///
    /// # Errors
    ///
    /// When the file cannot be moved or copied, when `name` is empty, when the run offers as many files as it may
    /// ([`Limits::max_artifacts`]), or when the handle is [`detached`](Self::detached) and so has no folder.
    pub fn artifact(&self, name: &str, path: impl AsRef<Path>) -> io::Result<()> {
        let most = self.0.limits.max_artifacts;
        let file = if self.slow().files.len() < most {
            artifact::keep(name, path.as_ref(), self.0.folder.as_deref(), self.0.limits.max_title_bytes)
        } else {
            Err(io::Error::other(format!("a run may offer {most} files, and this one does")))
        };
        let mut slow = self.slow();
        slow.record(Report::File(file.as_ref().ok()));
        let kept = file.map(|file| {
            slow.files.retain(|kept| kept.name != file.name);
            slow.files.push(file);
            slow.new_files = true;
        });
        drop(slow);
        self.touched();
        kept
    }

    /// How far the run is, as it last reported.
    pub fn state(&self) -> ProgressState {
        self.state_under(&self.slow())
    }

    /// True once the body has been asked to stop: a loop in a thread of its own can look here.
    pub fn is_stopped(&self) -> bool {
        self.0.hot.flags.load(Ordering::Acquire) & STOP != 0
    }

    /// True once the program has been asked to end: a loop that keeps no cursor can end itself here, between
    /// two pieces of its work.
    pub fn is_shutting_down(&self) -> bool {
        self.0.hot.flags.load(Ordering::Acquire) & SHUTTING_DOWN != 0
    }

    /// Reports the bar, if that takes no more than a store: nearly always. Otherwise it is false, and the
    /// report is to be made with [`set_numbers`](Self::set_numbers).
    #[inline]
    pub(crate) fn set_quickly(&self, Numbers { current, total }: Numbers) -> bool {
        if self.0.hot.total.load(Ordering::Relaxed) != total {
            return false;
        }
        self.0.hot.current.store(current, Ordering::Relaxed);
        // The one look that every report takes: who watches, and what is asked, is found out only behind it.
        self.flags() & (ARMED | WATCHED | STOP) == 0
    }

    pub(crate) fn set_numbers(&self, numbers: Numbers) {
        if !self.set_quickly(numbers) {
            self.set_slowly(numbers);
        }
    }

    #[cold]
    fn set_slowly(&self, numbers: Numbers) {
        self.store(&self.slow(), numbers);
        if self.is_awaited(ARMED) {
            self.on_report(Some(numbers));
        }
    }

    /// Sets both numbers. The reader holds the lock too, so it never sees one run of numbers with another's
    /// total.
    fn store(&self, _: &MutexGuard<'_, Slow>, Numbers { current, total }: Numbers) {
        self.0.hot.total.store(total, Ordering::Relaxed);
        self.0.hot.current.store(current, Ordering::Relaxed);
    }

    /// Both numbers. Whoever asks holds the lock, or takes one of a pair for good enough.
    fn numbers(&self) -> Numbers {
        let Hot { current, total, .. } = &self.0.hot;
        Numbers { current: current.load(Ordering::Relaxed), total: total.load(Ordering::Relaxed) }
    }

    #[inline]
    fn flags(&self) -> u8 {
        self.0.hot.flags.load(Ordering::Relaxed)
    }

    /// True when the reader is to be woken, being armed like this, or a report is to be recorded.
    fn is_awaited(&self, armed: u8) -> bool {
        self.flags() & (armed | WATCHED) != 0
    }

    /// Ends every report but those of the bar, which are recorded behind the same look, and of lines.
    fn touched(&self) {
        if self.is_awaited(ARMED) {
            self.on_report(None);
        }
    }

    #[cold]
    #[inline(never)]
    fn on_report(&self, bar: Option<Numbers>) {
        if self.notify(bar) {
            leave();
        }
    }

    /// Tells whoever watches or waits of a report. True when the body is to be left here.
    #[cold]
    fn notify(&self, bar: Option<Numbers>) -> bool {
        let is_watched = self.flags() & WATCHED != 0;
        let leaves = is_watched && self.watched(bar.map(|numbers| numbers.shown().0));
        let armed = ARMED | ARMED_FOR_LINES;
        if self.0.hot.flags.fetch_and(!armed, Ordering::SeqCst) & armed != 0 {
            self.0.changed.notify_one();
        }
        leaves
    }

    fn state_under(&self, slow: &Slow) -> ProgressState {
        let (percent, current, total) = self.numbers().shown();
        ProgressState {
            title: slow.title.clone(),
            percent,
            current,
            total,
            text: slow.text.clone(),
            ..slow.facts.state()
        }
    }

    /// How many handles there are.
    #[cfg(test)]
    pub(crate) fn holders(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    fn slow(&self) -> MutexGuard<'_, Slow> {
        // Nothing under this lock can leave it half changed.
        self.0.slow.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Progress").field("run", &self.0.run).field("state", &self.state()).finish()
    }
}

#[cfg(test)]
mod tests;
