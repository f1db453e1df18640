//! The events of a run for the program that started it: every log line once, and the latest progress.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::stream::{BoxStream, Stream, StreamExt as _, unfold};

use super::{RunError, RunHandle};
use crate::feed::{Feed, Subscription};
use crate::log_reader::{LogEntry, LogReader};
use crate::run::{LogLine, Omitted, Run};
use crate::store::StoreError;

/// How many bytes of the log are read at a time.
const AT_ONCE: usize = 64 << 10;

/// An event of a run.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum RunEvent {
    /// The first event: the current state of the run. The log follows, starting with the first line that is kept.
    Snapshot(Box<Run>),
    /// The run logged a line. Every line arrives, except those that [`Omitted`](Self::Omitted) reports.
    Log(LogLine),
    /// Lines that are no longer kept at this place, because the log had grown too long.
    Omitted {
        /// The number of the last line before the omitted ones.
        after: u64,
        /// How many lines are omitted.
        lines: u64,
    },
    /// The status or progress of the run has changed. Intermediate states since the previous event may be skipped.
    Progress(Box<Run>),
    /// The run has ended, with this final state. No event follows.
    End(Box<Run>),
}

/// The events of one run. Read them as a [`Stream`], or one at a time with [`next`](Self::next).
///
/// The stream ends after [`RunEvent::End`], or without it if the runtime shuts down.
pub struct RunEvents(BoxStream<'static, Result<RunEvent, StoreError>>);

impl RunEvents {
    /// Waits for the next event. Returns `None` at the end of the stream.
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
    /// Follows the run from the first line of its log. A slow reader holds up nobody else and receives the same
    /// lines later.
    ///
    /// ```no_run
    /// # async fn follow(run: process_runtime::RunHandle) -> Result<(), process_runtime::RunError> {
    /// use process_runtime::RunEvent;
    ///
    /// let mut events = run.events().await?;
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
    /// Returns an error if there is no such run, or if the store cannot be read.
    pub async fn events(&self) -> Result<RunEvents, RunError> {
        let feed = self.feed().await?;
        let subscription = feed.subscribe();
        let shown = feed.run();
        let follower = Follower {
            log: LogReader::new(Arc::clone(self.processes.store()), Arc::clone(&feed), 0),
            feed,
            subscription,
            due: VecDeque::from([RunEvent::Snapshot(Box::new(shown.clone()))]),
            shown,
            ended: false,
        };
        let events = unfold(follower, |mut follower| async move {
            let event = follower.next().await?;
            Some((event, follower))
        });
        Ok(RunEvents(events.boxed()))
    }
}

/// Turns updates of the feed into events.
struct Follower {
    feed: Arc<Feed>,
    subscription: Subscription,
    log: LogReader,
    /// The last state of the run that was emitted.
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
                Ok(()) if self.due.is_empty() && !self.ended => self.subscription.next().await,
                Ok(()) => {}
                Err(error) => {
                    self.ended = true;
                    return Some(Err(error));
                }
            }
        }
    }

    /// Queues the pending events in order: a part of the log, then the progress; after the whole log, the end.
    async fn gather(&mut self) -> Result<(), StoreError> {
        // Taken before the log, so that lines logged after this moment come after it.
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
