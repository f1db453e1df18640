//! The handle through which a process reports: a few atomics on the hot path, a short lock for texts.

use std::io;
use std::panic::RefUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::thread::ThreadId;

use parking_lot::{Condvar, Mutex, MutexGuard};
use tokio::sync::Notify;

use crate::artifact;
use crate::limits::Limits;
use crate::number::{Count, Percent};
use crate::run::{InnerBar, Panic, ProgressState, RunFile, RunId};
use crate::terminal;
use crate::text::clip;

mod facts;
mod lines;
mod numbers;
mod record;
mod save;
mod share;
mod watch;

use facts::Facts;
use lines::Lines;
pub(crate) use numbers::Numbers;
pub(crate) use record::{Interruption, Recording};
use record::{Recorder, Report};
pub(crate) use save::REPEAT_AT_MOST;
use save::Saves;
pub(crate) use share::weights;
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
/// Set once the program is shutting down, so that the body can return early.
const SHUTTING_DOWN: u8 = 16;

/// The handle through which a process reports its progress.
///
/// It is cheap to clone, and you can use it from any thread. A process can take it as a parameter. The free helpers
/// ([`set_progress_of`](crate::set_progress_of) and its siblings) are the same methods, called on the handle of the
/// current run.
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
    /// The maximum length of its texts and the maximum number of its files.
    limits: Limits,
    hot: Hot,
    slow: Mutex<Slow>,
    /// The reader waits here, after it has set `ARMED`.
    changed: Notify,
    /// The executor waits here for `STOP`.
    stopped: Notify,
    /// The reader waits here for a save that waits for it.
    save_waits: Notify,
    /// The executor waits here for a thread that parks and so never returns.
    parked: Notify,
    /// Saves wait here, with the slow part.
    room: Condvar,
}

// Nothing under the lock can leave it half changed, so a handle is whole after a panic.
impl RefUnwindSafe for Inner {}

/// Everything that a report of the bar touches, on a cache line that nothing else writes to.
#[repr(align(128))]
struct Hot {
    /// The two [`Numbers`]. The total is changed with the slow part locked.
    current: AtomicU64,
    total: AtomicU64,
    /// The same of an inner loop.
    inner_current: AtomicU64,
    inner_total: AtomicU64,
    flags: AtomicU8,
    /// True while a loop moves the bar of the run, so that a loop inside of it moves the inner bar.
    in_loop: AtomicBool,
}

#[derive(Default)]
struct Slow {
    title: String,
    text: String,
    facts: Facts,
    lines: Lines,
    last_seq: u64,
    files: Vec<RunFile>,
    /// True until the reader has taken the current list.
    new_files: bool,
    stop: Option<Stop>,
    /// The thread that drops the body, while `CLOSING` is set.
    closing: Option<ThreadId>,
    recorder: Option<Box<Recorder>>,
    saves: Saves,
    /// The last panic on a thread of the run.
    panic: Option<Panic>,
}

impl Progress {
    /// A handle for the run `run`, whose files are kept in `folder` and whose log continues after line `last_seq`.
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
                inner_current: AtomicU64::new(Numbers::UNKNOWN.current),
                inner_total: AtomicU64::new(Numbers::UNKNOWN.total),
                flags: AtomicU8::new(0),
                in_loop: AtomicBool::new(false),
            },
            slow: Mutex::new(slow),
            changed: Notify::new(),
            stopped: Notify::new(),
            save_waits: Notify::new(),
            parked: Notify::new(),
            room: Condvar::new(),
        }))
    }

    /// Creates a handle that belongs to no stored run, so that you can call parts of a process in a unit test.
    pub fn detached() -> Self {
        Self::new(RunId::new(), "", None, 0, Limits::DEFAULT)
    }

    /// Like [`detached`](Self::detached), with a folder that receives the artifacts.
    pub fn detached_in(folder: impl Into<PathBuf>) -> Self {
        Self::new(RunId::new(), "", Some(folder.into()), 0, Limits::DEFAULT)
    }

    /// Returns the id of the run that this handle reports to.
    pub fn run_id(&self) -> RunId {
        self.0.run
    }

    /// Sets the progress in percent, 0 to 100, from any number type.
    ///
    /// Values outside this range are clamped. NaN means that the percentage is unknown.
    #[inline]
    pub fn set_progress(&self, percent: impl Percent) {
        self.set_numbers(Numbers::percent(percent.to_percent()));
    }

    /// Sets the current step and the total number of steps. The percentage follows from them.
    ///
    /// A total of 0 means that the total is unknown. A step beyond the total is clamped to the total, and a negative
    /// step to 0. A call costs a few nanoseconds, so you can make it for every item.
    #[inline]
    pub fn set_progress_of(&self, current: impl Count, total: impl Count) {
        self.set_numbers(Numbers::steps(current.to_count(), total.to_count()));
    }

    /// Sets the text under the progress bar.
    pub fn set_progress_text(&self, text: impl Into<String>) {
        let text = clip(terminal::plain(text), self.0.limits.max_text_bytes);
        let mut slow = self.slow();
        slow.record(Report::Text(&text));
        slow.text = text;
        drop(slow);
        self.touched();
    }

    /// Sets the title, in place of the title in the process's declaration.
    pub fn set_title(&self, title: impl Into<String>) {
        let title = self.short(&title.into());
        let mut slow = self.slow();
        slow.record(Report::Title(&title));
        slow.title = title;
        drop(slow);
        self.touched();
    }

    /// A title or a name as it is shown: one line of limited length.
    fn short(&self, name: &str) -> String {
        clip(terminal::name(name), self.0.limits.max_title_bytes)
    }

    /// Moves the finished file at `path` into the run's folder. The run's page offers it for download as `name`.
    ///
    /// Only the last path component of `name` is used.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be moved or copied, if `name` is empty, if the run already has the maximum
    /// number of files ([`Limits::max_artifacts`]), or if the handle is [`detached`](Self::detached) and so has no
    /// folder.
    pub fn artifact(&self, name: &str, path: impl AsRef<Path>) -> io::Result<()> {
        let most = self.0.limits.max_artifacts;
        let file = if self.slow().files.len() < most {
            artifact::keep(name, path.as_ref(), self.0.folder.as_deref(), self.0.limits.max_title_bytes)
        } else {
            Err(io::Error::other(format!("a run can offer at most {most} files")))
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

    /// Returns the progress as last reported.
    pub fn state(&self) -> ProgressState {
        self.state_under(&self.slow())
    }

    /// Returns true once the body has been asked to stop. Check it in a loop on a thread of your own.
    pub fn is_stopped(&self) -> bool {
        self.0.hot.flags.load(Ordering::Acquire) & STOP != 0
    }

    /// Returns true once the program has begun to shut down. A loop without a cursor can check it between two items
    /// and return.
    pub fn is_shutting_down(&self) -> bool {
        self.0.hot.flags.load(Ordering::Acquire) & SHUTTING_DOWN != 0
    }

    /// Reports the bar if a single store is enough, which is nearly always the case. Returns false if the caller has
    /// to report with [`set_numbers`](Self::set_numbers) instead.
    #[inline]
    pub(crate) fn set_quickly(&self, Numbers { current, total }: Numbers) -> bool {
        if self.0.hot.total.load(Ordering::Relaxed) != total {
            return false;
        }
        self.0.hot.current.store(current, Ordering::Relaxed);
        // Every report pays only for this one load; readers, recorders and stop requests are handled behind it.
        self.flags() & (ARMED | WATCHED | STOP) == 0
    }

    pub(crate) fn set_numbers(&self, numbers: Numbers) {
        if !self.set_quickly(numbers) {
            self.set_slowly(numbers);
        }
    }

    #[cold]
    fn set_slowly(&self, numbers: Numbers) {
        let mut slow = self.slow();
        slow.facts.total_changes(self.numbers(), numbers);
        self.store(&slow, numbers);
        drop(slow);
        if self.is_awaited(ARMED) {
            self.on_report(Some(numbers));
        }
    }

    /// Sets both numbers. The reader takes the same lock, so it never sees the current step of one report with the
    /// total of another.
    fn store(&self, _: &MutexGuard<'_, Slow>, Numbers { current, total }: Numbers) {
        self.0.hot.total.store(total, Ordering::Relaxed);
        self.0.hot.current.store(current, Ordering::Relaxed);
    }

    /// A loop begins to move a bar. Returns true if it is inside of another loop, and so moves the inner bar.
    pub(crate) fn enter_loop(&self) -> bool {
        self.0.hot.in_loop.swap(true, Ordering::Relaxed)
    }

    /// The loop has ended.
    pub(crate) fn leave_loop(&self, is_inner: bool) {
        if is_inner {
            self.set_inner(Numbers::UNKNOWN);
        } else {
            self.0.hot.in_loop.store(false, Ordering::Relaxed);
        }
    }

    /// Moves the inner bar.
    pub(crate) fn set_inner_of(&self, current: u64, total: u64) {
        self.set_inner(Numbers::steps(current, total));
        if self.flags() & (ARMED | WATCHED | STOP) != 0 {
            self.on_report(None);
        }
    }

    fn set_inner(&self, Numbers { current, total }: Numbers) {
        self.0.hot.inner_total.store(total, Ordering::Relaxed);
        self.0.hot.inner_current.store(current, Ordering::Relaxed);
    }

    fn inner_bar(&self) -> Option<InnerBar> {
        let Hot { inner_current: current, inner_total: total, .. } = &self.0.hot;
        let numbers =
            Numbers { current: current.load(Ordering::Relaxed), total: total.load(Ordering::Relaxed) };
        let (percent, current, total) = numbers.shown();
        (percent.is_some() || current.is_some()).then_some(InnerBar { percent, current, total })
    }

    /// Returns both numbers. Callers either hold the lock or accept that the two may come from different reports.
    fn numbers(&self) -> Numbers {
        let Hot { current, total, .. } = &self.0.hot;
        Numbers { current: current.load(Ordering::Relaxed), total: total.load(Ordering::Relaxed) }
    }

    #[inline]
    fn flags(&self) -> u8 {
        self.0.hot.flags.load(Ordering::Relaxed)
    }

    /// True if the reader waits for this kind of change and must be woken, or if a report must be recorded.
    fn is_awaited(&self, armed: u8) -> bool {
        self.flags() & (armed | WATCHED) != 0
    }

    /// Called at the end of every report except those of the bar, which end in the slow path, and of log lines.
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

    /// Wakes the reader and records the report, as needed. Returns true if the caller must leave the body here.
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
        ProgressState {
            title: slow.title.clone(),
            text: slow.text.clone(),
            inner: self.inner_bar(),
            ..slow.facts.state(self.numbers())
        }
    }

    /// How many handles there are.
    #[cfg(test)]
    pub(crate) fn holders(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    fn slow(&self) -> MutexGuard<'_, Slow> {
        self.0.slow.lock()
    }
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Progress").field("run", &self.0.run).field("state", &self.state()).finish()
    }
}

#[cfg(test)]
mod tests;
