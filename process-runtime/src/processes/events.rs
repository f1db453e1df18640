//! What a program sees of a run while it goes on: every log line once, and the latest progress.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::stream::{BoxStream, Stream, StreamExt as _, unfold};

use super::RunHandle;
use crate::feed::{Feed, Subscription};
use crate::log_reader::{LogEntry, LogReader};
use crate::run::{LogLine, Omitted, Run};
use crate::store::StoreError;

/// How much of the log is read at a time, in bytes.
const AT_ONCE: usize = 64 << 10;

/// What happened to a run.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum RunEvent {
    /// The first event: the run as it was then. Its log follows, from the first line that is kept.
    Snapshot(Box<Run>),
    /// A line was logged. No line is left out but for those that [`Omitted`](Self::Omitted) tells of.
    Log(LogLine),
    /// Here are lines that are not kept, because the log had grown too long.
    Omitted {
        /// The number of the line before them.
        after: u64,
        /// How many they are.
        lines: u64,
    },
    /// The run got on; what was between this and the event before is left out.
    Progress(Box<Run>),
    /// The run has ended like this. Nothing follows.
    End(Box<Run>),
}

/// The events of one run, as a [`Stream`], or one by one with [`next`](Self::next).
///
/// It ends after [`RunEvent::End`], or without it when the runtime is shut down.
pub struct RunEvents(BoxStream<'static, Result<RunEvent, StoreError>>);

impl RunEvents {
    /// Waits for the next event.
    pub async fn next(&mut self) -> Option<Result<RunEvent, StoreError>> {
        self.0.next().await
    }
}

impl Stream for RunEvents {
    type Item = Result<RunEvent, StoreError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(context)
    }
}

impl fmt::Debug for RunEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RunEvents")
    }
}

impl RunHandle {
    /// Follows the run, from the first line of its log. Whoever reads the events too slowly holds up nobody, and is given
    /// the same lines late. `None` if there is no such run.
    ///
    /// ```no_run
    /// # async fn follow(run: process_runtime::RunHandle) -> Result<(), process_runtime::store::StoreError> {
    /// use process_runtime::RunEvent;
    ///
    /// let Some(mut events) = run.events().await? else { return Ok(()) };
    /// while let Some(event) = events.next().await {
    ///     match event? {
    ///         RunEvent::Log(line) => println!("{}", line.text),
    ///         RunEvent::Omitted { lines, .. } => println!("({lines} lines are not kept)"),
    ///         RunEvent::Progress(run) => println!("{:?} %", run.progress.percent),
    ///         RunEvent::End(run) => println!("{}: {:?}", run.status, run.result),
    ///         _ => {}
    ///     }
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When the store cannot be read.
    pub async fn events(&self) -> Result<Option<RunEvents>, StoreError> {
        let Some(feed) = self.processes.feeds().open(self.id).await? else { return Ok(None) };
        let news = feed.subscribe();
        let shown = feed.run();
        let follower = Follower {
            log: LogReader::new(Arc::clone(self.processes.store()), Arc::clone(&feed), 0),
            feed,
            news,
            due: VecDeque::from([RunEvent::Snapshot(Box::new(shown.clone()))]),
            shown,
            ended: false,
        };
        let events = unfold(follower, |mut follower| async move {
            let event = follower.next().await?;
            Some((event, follower))
        });
        Ok(Some(RunEvents(events.boxed())))
    }
}

/// Turns what is new in the feed into events.
struct Follower {
    feed: Arc<Feed>,
    news: Subscription,
    log: LogReader,
    /// The run as it was last given.
    shown: Run,
    due: VecDeque<RunEvent>,
    ended: bool,
}

impl Follower {
    async fn next(&mut self) -> Option<Result<RunEvent, StoreError>> {
        loop {
            if let Some(event) = self.due.pop_front() {
                return Some(Ok(event));
            }
            if self.ended {
                return None;
            }
            match self.gather().await {
                Ok(()) if self.due.is_empty() && !self.ended => self.news.next().await,
                Ok(()) => {}
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
    }

    /// Puts what is new in order: some of the log, and how far the run is; after all of the log, the end.
    async fn gather(&mut self) -> Result<(), StoreError> {
        // Before the log: what is said after this moment comes after it.
        let (now, _) = self.feed.snapshot(0, 0);
        let log = self.log.next(AT_ONCE).await?;
        let is_told = log.is_empty();
        self.due.extend(log.into_iter().map(|entry| match entry {
            LogEntry::Line(line) => RunEvent::Log(line),
            LogEntry::Omitted(Omitted { after, lines }) => RunEvent::Omitted { after, lines },
        }));
        let is_over = now.run.status.is_terminal();
        if is_over && is_told {
            self.ended = true;
            self.due.push_back(RunEvent::End(Box::new(now.run)));
        } else if !is_over && (now.run.status, &now.run.progress) != (self.shown.status, &self.shown.progress)
        {
            self.shown = now.run.clone();
            self.due.push_back(RunEvent::Progress(Box::new(now.run)));
        }
        self.ended |= now.closed && is_told;
        Ok(())
    }
}
