//! Owns what a program sees of a run while it goes on: every log line once, and the latest progress.
//! Refuses to know how events are written for browsers.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::stream::{BoxStream, Stream, StreamExt as _, unfold};

use super::{Processes, RunHandle};
use crate::feed::{Feed, News, Opening};
use crate::run::{LogLine, Run};
use crate::store::{LogFilter, StoreError};

/// How many stored log lines are read at a time.
const PAGE: usize = 1_000;

/// What happened to a run.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum RunEvent {
    /// The first event: the run as it was then. Its log follows, from the first line that is kept.
    Snapshot(Box<Run>),
    /// A line was logged. No line is left out, unless the log had grown too long to keep it.
    Log(LogLine),
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
    /// Follows the run, from the first line of its log. `None` if there is no such run.
    ///
    /// ```no_run
    /// # async fn follow(run: process_runtime::RunHandle) -> Result<(), process_runtime::store::StoreError> {
    /// use process_runtime::RunEvent;
    ///
    /// let Some(mut events) = run.events().await? else { return Ok(()) };
    /// while let Some(event) = events.next().await {
    ///     match event? {
    ///         RunEvent::Log(line) => println!("{}", line.text),
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
        let news = feed.news();
        let (opening, _) = feed.opening(0);
        let follower = Follower {
            processes: self.processes.clone(),
            feed,
            news,
            seq: 0,
            due: VecDeque::from([RunEvent::Snapshot(Box::new(opening.run.clone()))]),
            shown: opening.run.clone(),
            opening: Some(opening),
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
    processes: Processes,
    feed: Arc<Feed>,
    news: News,
    /// The last line that was given.
    seq: u64,
    /// The run as it was last given.
    shown: Run,
    /// The lines at hand, when they have not been looked at.
    opening: Option<Opening>,
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
            if let Some(opening) = self.opening.take() {
                if let Err(error) = self.gather(opening).await {
                    self.ended = true;
                    return Some(Err(error));
                }
                continue;
            }
            self.news.next().await;
            self.opening = Some(self.feed.opening(self.seq).0);
        }
    }

    /// Puts what is new in order: lines from the store, lines at hand, progress, the end.
    async fn gather(&mut self, opening: Opening) -> Result<(), StoreError> {
        while self.seq < opening.evicted {
            let mut lines =
                self.processes.store().log(self.feed.id(), LogFilter::after(self.seq, PAGE)).await?;
            lines.retain(|line| line.seq <= opening.evicted);
            match lines.last() {
                Some(last) => self.seq = last.seq,
                None => self.seq = opening.evicted,
            }
            self.due.extend(lines.into_iter().map(RunEvent::Log));
        }
        let new = opening.recent.into_iter().filter(|line| line.seq > self.seq);
        self.due.extend(new.map(RunEvent::Log));
        self.seq = self.seq.max(opening.last_seq);
        let run = opening.run;
        self.ended = opening.closed;
        if run.status.is_terminal() {
            self.ended = true;
            self.due.push_back(RunEvent::End(Box::new(run)));
        } else if (run.status, &run.progress) != (self.shown.status, &self.shown.progress) {
            self.shown = run.clone();
            self.due.push_back(RunEvent::Progress(Box::new(run)));
        }
        Ok(())
    }
}
