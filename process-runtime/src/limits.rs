//! Owns how much may be asked of the server, and reported to it: every limit, with what holds without a word.
//! Refuses to know who keeps to it, and what is answered to who does not.

use std::time::Duration;

/// How much a stranger may ask of the server, and a process may report. Given to
/// [`Builder::limits`](crate::Builder::limits).
///
/// Each has a default that nobody notices in a program of usual size. What is beyond one of them is refused with a
/// sentence that says how much is allowed, or cut with a mark that says how much there was. Write only those that
/// are to be others, and `..Limits::default()` behind them: there may be more of them one day.
///
/// ```
/// use process_runtime::Limits;
///
/// let limits = Limits { upload: 10 << 30, start_rate: 5, ..Limits::default() };
/// let builder = process_runtime::builder().limits(limits);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest body without files, and all texts together of one with files, in bytes: 1 MiB. Answered with 413.
    pub body: usize,
    /// The longest text of one field, in bytes: 256 KiB. Answered with 422 at the field. A file in JSON may be as long
    /// as the body.
    pub field: usize,
    /// The longest name of a field, in bytes: 512. Answered with 413.
    pub name: usize,
    /// How many values a body may have, those in lists and groups among them: 100,000. Answered with 413.
    pub values: usize,
    /// How many parts a form with files may have: 2,000. Answered with 413.
    pub parts: usize,
    /// What the files of one start may have together, in bytes: 1 GiB. Answered with 413. How much a single file may
    /// have is said at its field, with `max_size`.
    pub upload: u64,
    /// The longest address, with its query, in bytes: 32 KiB. Answered with 414.
    pub url: usize,
    /// The longest head of a request, names and values together, in bytes: 64 KiB. Answered with 431.
    pub head: usize,
    /// How many lines the head of a request may have: 100. Answered with 431.
    pub headers: usize,

    /// How many starts a second are answered in the long run, for each person whose name is known, or else for each
    /// address: 50. Answered with 429. Behind a proxy, all whose name is not known come from the proxy's address, unless
    /// [`trust_forwarded`](crate::Builder::trust_forwarded) is said.
    /// Starts from code are not counted.
    pub start_rate: u32,
    /// How many starts may come at once before that counts: 2,000.
    pub start_burst: u32,
    /// How many runs may wait at the same time: 10,000. A start beyond that is answered with 429, and from code with
    /// [`StoreError::Full`](crate::store::StoreError::Full).
    pub waiting: usize,
    /// How many runs of one process may wait at the same time: 10,000. Answered with 429, and from code with
    /// [`StoreError::ProcessFull`](crate::store::StoreError::ProcessFull).
    pub waiting_of_process: usize,
    /// How many runs that one person has started may wait at the same time: 1,000. Answered with 429, and from code
    /// with [`StoreError::ActorFull`](crate::store::StoreError::ActorFull).
    pub waiting_of_actor: usize,

    /// How many streams may be open here at the same time: 50,000. Answered with 503.
    pub viewers: usize,
    /// How many streams of one run: 20,000. Answered with 503.
    pub viewers_of_run: usize,
    /// How many streams of one person whose name is known: 200. Answered with 429. The tabs of a browser share one.
    pub viewers_of_actor: usize,

    /// How many downloads of logs, results and files may be under way at the same time: 256. Answered with 503. A client
    /// that reads slowly keeps its place for as long as it reads.
    pub max_downloads: usize,
    /// How many connections [`serve`](crate::serve) and its siblings have at the same time: 60,000, or fewer where the
    /// system does not let the program have so many files, of which 256 or a quarter are kept for all else. Answered with
    /// 503.
    pub connections: usize,
    /// How many requests a connection of HTTP/2 may have at the same time: 2,000, since a proxy may bring many viewers
    /// over one. The client waits.
    pub streams: u32,
    /// How long a connection may take for the head of its next request: 30 seconds. It is closed then, idle ones too.
    /// In an application with a server of its own, that server says so, as it does for the three above.
    pub head_timeout: Duration,
    /// How long a body may take that [`body_rate`](Self::body_rate) does not give more time: 30 seconds. Answered with
    /// 408.
    pub body_timeout: Duration,
    /// A body has a second more for so many bytes that came: 1 KiB.
    pub body_rate: u64,
    /// A client who takes nothing for so long, while something is due, is sent away by [`serve`](crate::serve) and its
    /// siblings: 30 seconds.
    ///
    /// A viewer who only reads slowly stays, and never holds up anybody: he misses progress that has been overtaken. One
    /// who has fallen behind with the log, and has taken so long for what he was given since then, is given the present,
    /// as a snapshot that says which lines it leaves out.
    pub reader_timeout: Duration,

    /// How much of what a run says may wait in memory until it is stored, in bytes: 4 MiB, a line counted as 128 more
    /// than its text. Beyond that a body that says more waits, on its own thread and in
    /// [`spawn_blocking`](crate::spawn_blocking); in tasks, which share their threads, lines are left out, and a line of
    /// the log says how many. See [`Progress::log`](crate::Progress::log).
    pub max_log_buffer_bytes: usize,
    /// The longest line of a log, in bytes: 16 KiB. Cut, and marked.
    pub log_line: usize,
    /// The longest text under the bar, in bytes: 2 KiB. Cut, and marked; so is the reason why an item has failed.
    pub text: usize,
    /// The longest title, name of a stage, of a file and of an item, in bytes: 256. Cut, and marked.
    pub title: usize,
    /// The longest error that a run fails with, in bytes: 16 KiB. Cut, and marked.
    pub error: usize,
    /// The largest result, in bytes of JSON: 1 MiB. A longer text is cut, and marked. Anything else is left out: the
    /// run succeeds all the same, and its result and its log say so.
    pub result: usize,
    /// How many files a run may offer: 1,000. The helper gives an error.
    pub artifacts: usize,
    /// How many lines of a run's log are kept from its beginning: 5,000.
    pub log_head: usize,
    /// How many lines of a run's log are kept from its end: 40,000, and up to an eighth more for a while. Of the lines
    /// between head and tail only warnings and errors are kept, up to 12,000.
    pub log_tail: usize,
    /// How much text a run's log may have, in bytes: 64 MiB. What is beyond is omitted as if there were too many lines.
    pub log_bytes: usize,
}

impl Limits {
    pub(crate) const DEFAULT: Self = Self {
        body: 1 << 20,
        field: 256 << 10,
        name: 512,
        values: 100_000,
        parts: 2_000,
        upload: 1 << 30,
        url: 32 << 10,
        head: 64 << 10,
        headers: 100,
        start_rate: 50,
        start_burst: 2_000,
        waiting: 10_000,
        waiting_of_process: 10_000,
        waiting_of_actor: 1_000,
        viewers: 50_000,
        viewers_of_run: 20_000,
        viewers_of_actor: 200,
        max_downloads: 256,
        connections: 60_000,
        streams: 2_000,
        head_timeout: Duration::from_secs(30),
        body_timeout: Duration::from_secs(30),
        body_rate: 1 << 10,
        reader_timeout: Duration::from_secs(30),
        max_log_buffer_bytes: 4 << 20,
        log_line: 16 << 10,
        text: 2 << 10,
        title: 256,
        error: 16 << 10,
        result: 1 << 20,
        artifacts: 1_000,
        log_head: 5_000,
        log_tail: 40_000,
        log_bytes: 64 << 20,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
