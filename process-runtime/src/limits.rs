//! Every limit with its default: bodies, uploads, headers, starts, queues, viewers, connections, and the reports of
//! runs.

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
                /// Sets the limit of the same name.
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
    /// Limits on what clients may request of the server and what a process may report. Pass them to
    /// [`Builder::limits`](crate::Builder::limits).
    ///
    /// Every limit has a default that a program of usual size does not reach. What exceeds a limit is either
    /// refused with a message that states the limit, or cut with a mark that states the original size. To change a
    /// limit, call the method of the same name.
    ///
    /// ```
    /// use process_runtime::Limits;
    ///
    /// let limits = Limits::default().max_upload_bytes(10 << 30).max_starts_per_second(5);
    /// let builder = process_runtime::builder().limits(limits);
    /// ```
    Limits {
        /// The maximum size of a body without files, and of all texts together in a body with files, in bytes.
        /// Default: 1 MiB. A larger body is refused with 413.
        max_body_bytes: usize = 1 << 20,
        /// The maximum size of the text of one field, in bytes. Default: 256 KiB. A longer text is refused with 422
        /// at the field. A file in JSON may be as large as the body.
        max_field_bytes: usize = 256 << 10,
        /// The maximum length of the name of a field, in bytes. Default: 512. A longer name is refused with 413.
        max_field_name_bytes: usize = 512,
        /// The maximum number of values in a body, including those in lists and groups. Default: 100,000. More are
        /// refused with 413.
        max_values: usize = 100_000,
        /// The maximum number of parts in a form with files. Default: 2,000. More are refused with 413.
        max_parts: usize = 2_000,
        /// The maximum size of all files of one start together, in bytes. Default: 1 GiB. Larger uploads are
        /// refused with 413. The option `max_size` of a field limits a single file.
        max_upload_bytes: u64 = 1 << 30,
        /// The maximum length of a URL with its query, in bytes. Default: 32 KiB. A longer URL is refused with 414.
        max_url_bytes: usize = 32 << 10,
        /// The maximum size of the head of a request, names and values together, in bytes. Default: 64 KiB. A
        /// larger head is refused with 431.
        max_header_bytes: usize = 64 << 10,
        /// The maximum number of headers of a request. Default: 100. More are refused with 431.
        max_header_count: usize = 100,

        /// The rate limit of starts: how many starts per second the server accepts in the long run, for each named
        /// actor, or for each client address if the actor has no name. Default: 50. More are refused with 429.
        /// Behind a proxy, all actors without a name share the address of the proxy, unless you enable
        /// [`trust_forwarded`](crate::Builder::trust_forwarded). Starts from code do not count.
        max_starts_per_second: u32 = 50,
        /// The number of starts that may arrive in a burst before the rate limit applies. Default: 2,000.
        max_start_burst: u32 = 2_000,
        /// The maximum number of queued runs. Default: 10,000. A further start is refused with 429, and from code
        /// with [`StoreError::Full`](crate::store::StoreError::Full).
        max_queued: usize = 10_000,
        /// The maximum number of queued runs of one process. Default: 10,000. A further start is refused with 429,
        /// and from code with [`StoreError::ProcessFull`](crate::store::StoreError::ProcessFull).
        max_queued_per_process: usize = 10_000,
        /// The maximum number of queued runs that one actor has started. Default: 1,000. A further start is refused
        /// with 429, and from code with [`StoreError::ActorFull`](crate::store::StoreError::ActorFull).
        max_queued_per_actor: usize = 1_000,

        /// The maximum number of streams open on this node at the same time. Default: 50,000. A further stream is
        /// refused with 503.
        max_viewers: usize = 50_000,
        /// The maximum number of open streams of one run. Default: 20,000. A further stream is refused with 503.
        max_viewers_per_run: usize = 20_000,
        /// The maximum number of open streams of one named actor. Default: 200. A further stream is refused with
        /// 429. The tabs of one browser share a stream.
        max_viewers_per_actor: usize = 200,

        /// The maximum number of concurrent downloads of logs, results and files. Default: 256. A further download
        /// is refused with 503. A client that reads slowly occupies its slot for as long as it reads.
        max_downloads: usize = 256,
        /// The maximum number of connections of [`serve`](crate::serve) and its siblings. Default: 60,000, or fewer
        /// if the system limits the open files of the program: of these, 256 or a quarter are reserved for
        /// everything else. A further connection is refused with 503.
        max_connections: usize = 60_000,
        /// The maximum number of concurrent requests on one HTTP/2 connection. Default: 2,000, because a proxy may
        /// bring many viewers over one connection. Beyond the limit, the client waits.
        max_h2_streams: u32 = 2_000,
        /// How long a connection may take to send the head of its next request. Default: 30 seconds. After that,
        /// the server closes the connection, including an idle one. If your application has its own server, set
        /// this limit there, as well as [`max_connections`](Self::max_connections) and
        /// [`max_h2_streams`](Self::max_h2_streams).
        header_timeout: Duration = Duration::from_secs(30),
        /// How long a body may take to arrive, beyond the time that
        /// [`min_body_bytes_per_second`](Self::min_body_bytes_per_second) adds. Default: 30 seconds. A slower body
        /// is refused with 408.
        body_timeout: Duration = Duration::from_secs(30),
        /// How many received bytes of a body extend its time by one second. Default: 1 KiB.
        min_body_bytes_per_second: u64 = 1 << 10,
        /// How long a client may read nothing while data is waiting for it. Default: 30 seconds. After that,
        /// [`serve`](crate::serve) and its siblings disconnect the client.
        ///
        /// A viewer that merely reads slowly stays connected and never holds up anyone else; it misses progress
        /// that newer progress has replaced. If a viewer falls behind with the log and takes this long to read what
        /// it has been sent since then, it receives the current state instead, as a snapshot that states which
        /// lines it leaves out.
        reader_timeout: Duration = Duration::from_secs(30),

        /// The maximum size of the log lines and other reports of a run that wait in memory for the store, in
        /// bytes. Default: 4 MiB. A line counts as 128 bytes more than its text. Beyond the limit, further reports
        /// block the body, on its own thread and in [`spawn_blocking`](crate::spawn_blocking). In tasks, which
        /// share their threads, lines are left out, and a log line states how many. See
        /// [`Progress::log`](crate::Progress::log).
        max_log_buffer_bytes: usize = 4 << 20,
        /// The maximum length of a log line, in bytes. Default: 16 KiB. A longer line is cut and marked.
        max_log_line_bytes: usize = 16 << 10,
        /// The maximum length of the text under the progress bar, and of the reason why an item has failed, in
        /// bytes. Default: 2 KiB. A longer text is cut and marked.
        max_text_bytes: usize = 2 << 10,
        /// The maximum length of a title and of the name of a stage, a file or an item, in bytes. Default: 256. A
        /// longer one is cut and marked.
        max_title_bytes: usize = 256,
        /// The maximum length of the error that a run fails with, in bytes. Default: 16 KiB. A longer error is cut
        /// and marked.
        max_error_bytes: usize = 16 << 10,
        /// The maximum size of a result, in bytes of JSON. Default: 1 MiB. A longer text is cut and marked. Any
        /// other larger result is left out: the run still succeeds, and its result and its log state the omission.
        max_result_bytes: usize = 1 << 20,
        /// The maximum number of artifacts of a run. Default: 1,000. Beyond the limit, the helper returns an error.
        max_artifacts: usize = 1_000,
        /// How many lines are kept from the beginning of a run's log. Default: 5,000.
        max_log_head_lines: usize = 5_000,
        /// How many lines are kept from the end of a run's log. Default: 40,000; up to an eighth more may be kept
        /// temporarily. Between head and tail, only warnings and errors are kept, up to 12,000.
        max_log_tail_lines: usize = 40_000,
        /// The maximum size of the text of a run's log, in bytes. Default: 64 MiB. Lines beyond it are omitted in
        /// the same way as when there are too many lines.
        max_log_bytes: usize = 64 << 20,
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
