//! Every limit with its default: bodies, uploads, headers, starts, queues, viewers, connections, and what a run may
//! report.

use std::time::Duration;

macro_rules! limits {
    ($(#[$doc:meta])* Limits { $($(#[$of:meta])* $name:ident: $type:ty = $default:expr,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Limits {
            $($(#[$of])* pub $name: $type,)*
        }

        impl Limits {
            pub(crate) const DEFAULT: Self = Self { $($name: $default,)* };

            $(
                /// Sets the field of the same name.
                #[must_use]
                pub const fn $name(mut self, value: $type) -> Self {
                    self.$name = value;
                    self
                }
            )*
        }
    };
}

limits! {
    /// How much a stranger may ask of the server, and a process may report. Given to
    /// [`Builder::limits`](crate::Builder::limits).
    ///
    /// Each has a default that nobody notices in a program of usual size. What is beyond one of them is refused with a
    /// sentence that says how much is allowed, or cut with a mark that says how much there was. Set the others with
    /// the method of the same name.
    ///
    /// ```
    /// use process_runtime::Limits;
    ///
    /// let limits = Limits::default().max_upload_bytes(10 << 30).max_starts_per_second(5);
    /// let builder = process_runtime::builder().limits(limits);
    /// ```
    Limits {
        /// The longest body without files, and all texts together of one with files, in bytes: 1 MiB. Answered with 413.
        max_body_bytes: usize = 1 << 20,
        /// The longest text of one field, in bytes: 256 KiB. Answered with 422 at the field. A file in JSON may be as long
        /// as the body.
        max_field_bytes: usize = 256 << 10,
        /// The longest name of a field, in bytes: 512. Answered with 413.
        max_field_name_bytes: usize = 512,
        /// How many values a body may have, those in lists and groups among them: 100,000. Answered with 413.
        max_values: usize = 100_000,
        /// How many parts a form with files may have: 2,000. Answered with 413.
        max_parts: usize = 2_000,
        /// What the files of one start may have together, in bytes: 1 GiB. Answered with 413. How much a single file may
        /// have is said at its field, with `max_size`.
        max_upload_bytes: u64 = 1 << 30,
        /// The longest address, with its query, in bytes: 32 KiB. Answered with 414.
        max_url_bytes: usize = 32 << 10,
        /// The longest head of a request, names and values together, in bytes: 64 KiB. Answered with 431.
        max_header_bytes: usize = 64 << 10,
        /// How many lines the head of a request may have: 100. Answered with 431.
        max_header_count: usize = 100,

        /// How many starts a second are answered in the long run, for each person whose name is known, or else for each
        /// address: 50. Answered with 429. Behind a proxy, all whose name is not known come from the proxy's address, unless
        /// [`trust_forwarded`](crate::Builder::trust_forwarded) is said.
        /// Starts from code are not counted.
        max_starts_per_second: u32 = 50,
        /// How many starts may come at once before that counts: 2,000.
        max_start_burst: u32 = 2_000,
        /// How many runs may wait at the same time: 10,000. A start beyond that is answered with 429, and from code with
        /// [`StoreError::Full`](crate::store::StoreError::Full).
        max_queued: usize = 10_000,
        /// How many runs of one process may wait at the same time: 10,000. Answered with 429, and from code with
        /// [`StoreError::ProcessFull`](crate::store::StoreError::ProcessFull).
        max_queued_per_process: usize = 10_000,
        /// How many runs that one person has started may wait at the same time: 1,000. Answered with 429, and from code
        /// with [`StoreError::ActorFull`](crate::store::StoreError::ActorFull).
        max_queued_per_actor: usize = 1_000,

        /// How many streams may be open here at the same time: 50,000. Answered with 503.
        max_viewers: usize = 50_000,
        /// How many streams of one run: 20,000. Answered with 503.
        max_viewers_per_run: usize = 20_000,
        /// How many streams of one person whose name is known: 200. Answered with 429. The tabs of a browser share one.
        max_viewers_per_actor: usize = 200,

        /// How many downloads of logs, results and files may be under way at the same time: 256. Answered with 503. A client
        /// that reads slowly keeps its place for as long as it reads.
        max_downloads: usize = 256,
        /// How many connections [`serve`](crate::serve) and its siblings have at the same time: 60,000, or fewer where the
        /// system does not let the program have so many files, of which 256 or a quarter are kept for all else. Answered with
        /// 503.
        max_connections: usize = 60_000,
        /// How many requests a connection of HTTP/2 may have at the same time: 2,000, since a proxy may bring many viewers
        /// over one. The client waits.
        max_h2_streams: u32 = 2_000,
        /// How long a connection may take for the head of its next request: 30 seconds. It is closed then, idle ones too.
        /// In an application with a server of its own, that server says so, as it does for the three above.
        header_timeout: Duration = Duration::from_secs(30),
        /// How long a body may take that [`min_body_bytes_per_second`](Self::min_body_bytes_per_second) does not give more time: 30 seconds. Answered with
        /// 408.
        body_timeout: Duration = Duration::from_secs(30),
        /// A body has a second more for so many bytes that came: 1 KiB.
        min_body_bytes_per_second: u64 = 1 << 10,
        /// A client who takes nothing for so long, while something is due, is sent away by [`serve`](crate::serve) and its
        /// siblings: 30 seconds.
        ///
        /// A viewer who only reads slowly stays, and never holds up anybody: he misses progress that has been overtaken. One
        /// who has fallen behind with the log, and has taken so long for what he was given since then, is given the present,
        /// as a snapshot that says which lines it leaves out.
        reader_timeout: Duration = Duration::from_secs(30),

        /// How much of what a run says may wait in memory until it is stored, in bytes: 4 MiB, a line counted as 128 more
        /// than its text. Beyond that a body that says more waits, on its own thread and in
        /// [`spawn_blocking`](crate::spawn_blocking); in tasks, which share their threads, lines are left out, and a line of
        /// the log says how many. See [`Progress::log`](crate::Progress::log).
        max_log_buffer_bytes: usize = 4 << 20,
        /// The longest line of a log, in bytes: 16 KiB. Cut, and marked.
        max_log_line_bytes: usize = 16 << 10,
        /// The longest text under the bar, in bytes: 2 KiB. Cut, and marked; so is the reason why an item has failed.
        max_text_bytes: usize = 2 << 10,
        /// The longest title, name of a stage, of a file and of an item, in bytes: 256. Cut, and marked.
        max_title_bytes: usize = 256,
        /// The longest error that a run fails with, in bytes: 16 KiB. Cut, and marked.
        max_error_bytes: usize = 16 << 10,
        /// The largest result, in bytes of JSON: 1 MiB. A longer text is cut, and marked. Anything else is left out: the
        /// run succeeds all the same, and its result and its log say so.
        max_result_bytes: usize = 1 << 20,
        /// How many files a run may offer: 1,000. The helper gives an error.
        max_artifacts: usize = 1_000,
        /// How many lines of a run's log are kept from its beginning: 5,000.
        max_log_head_lines: usize = 5_000,
        /// How many lines of a run's log are kept from its end: 40,000, and up to an eighth more for a while. Of the lines
        /// between head and tail only warnings and errors are kept, up to 12,000.
        max_log_tail_lines: usize = 40_000,
        /// How much text a run's log may have, in bytes: 64 MiB. What is beyond is omitted as if there were too many lines.
        max_log_bytes: usize = 64 << 20,
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
