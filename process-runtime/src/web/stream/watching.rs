//! The runs that one client watches, its position in each, and the events that are pending for it.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::future::BoxFuture;
use smallvec::SmallVec;

use crate::feed::{Feed, Offset, Pending};
use crate::processes::{GrantStatus, Processes};
use crate::run::RunId;
use crate::viewers::Ticket;
use crate::web::request::authorize::Granted;
use crate::web::request::context::Context;
use crate::web::stream::snapshot::{SLOW_TAIL_BYTES, SnapshotOptions, TAIL_BYTES, missed, snapshot};
use crate::wire::{Frame, Ping, Position, event};

/// How many bytes of log the snapshots of one client contain in total.
const OPENINGS_BYTES: usize = 4 * TAIL_BYTES;

/// One run that a client requests.
pub(in crate::web) enum Watched {
    /// With its log, for a client at this position.
    Run { feed: Arc<Feed>, granted: Granted, last: Option<Position> },
    /// Without its log.
    Bar { feed: Arc<Feed>, granted: Granted },
    /// The run does not exist, or no longer.
    Gone(RunId),
}

impl Watched {
    /// A run for a client that has sent its last positions.
    pub(in crate::web) fn run(feed: Arc<Feed>, granted: Granted, seen: &[Position]) -> Self {
        let last = seen.iter().find(|last| last.belongs_to(feed.id())).copied();
        Self::Run { feed, granted, last }
    }

    /// The run, and what its viewer may do; `None` if it does not exist.
    pub(in crate::web) fn found(&self) -> Option<(RunId, Granted)> {
        match self {
            Self::Run { feed, granted, .. } | Self::Bar { feed, granted } => {
                Some((feed.id(), granted.clone()))
            }
            Self::Gone(_) => None,
        }
    }
}

/// The runs that one client watches.
pub(in crate::web) struct Watching {
    processes: Processes,
    /// Where the router is mounted: a snapshot contains URLs.
    base: Box<str>,
    sources: SmallVec<[Source; 1]>,
    /// Pending before anything else.
    first: Option<Frame>,
    /// When a client that is behind last got something.
    given: Option<Instant>,
    /// The position sent when all runs have ended, so that a reconnecting client can be answered with 204.
    last: Option<Position>,
    /// Its ticket from the limit of streams.
    _ticket: Ticket,
}

struct Source {
    /// `None` once the run has ended.
    feed: Option<Arc<Feed>>,
    granted: Granted,
    seen: Offset,
    with_lines: bool,
    /// How long the client, which is behind, has taken to read what it got.
    late: Option<Duration>,
}

/// What is pending for a client.
pub(in crate::web) enum Taken {
    Frame(Frame),
    /// It is behind in one of its runs, and what it missed is no longer in memory.
    Behind(usize),
    NotYet,
    Over,
}

impl Watching {
    /// Begins to watch these runs, with their snapshots pending.
    pub(in crate::web) async fn open(context: &Context, ticket: Ticket, watched: Vec<Watched>) -> Self {
        let Context { processes, base, .. } = context;
        let mut sources = SmallVec::with_capacity(watched.len());
        let mut openings = Vec::with_capacity(watched.len());
        let mut ids = Vec::with_capacity(watched.len());
        let tail_bytes = TAIL_BYTES.min(OPENINGS_BYTES / watched.len().max(1));
        for watched in watched {
            let (feed, granted, last, with_lines) = match watched {
                Watched::Run { feed, granted, last } => (feed, granted, last, true),
                Watched::Bar { feed, granted } => (feed, granted, None, false),
                Watched::Gone(run) => {
                    openings.push(gone(run));
                    continue;
                }
            };
            let told = SnapshotOptions { base, rights: granted.rights, with_lines };
            let (frame, seen) = snapshot(processes, &feed, told, last, tail_bytes).await;
            ids.push(feed.id());
            openings.push(frame);
            sources.push(Source { feed: Some(feed), granted, seen, with_lines, late: None });
        }
        let last = (openings.len() > 1).then(|| Position::end_of(ids.into_iter()));
        Self {
            processes: processes.clone(),
            base: base.as_str().into(),
            sources,
            first: join(openings),
            given: None,
            last,
            _ticket: ticket,
        }
    }

    /// The runs that have not ended, by their index; `None` for those that have.
    pub(in crate::web) fn feeds(&self) -> impl Iterator<Item = Option<&Arc<Feed>>> {
        self.sources.iter().map(|source| source.feed.as_ref())
    }

    /// Takes what is pending.
    pub(in crate::web) fn take(&mut self) -> Taken {
        let took = self.given.take().map(|given| given.elapsed());
        let taken = self.take_due();
        let mut late = self.sources.iter_mut().filter_map(|source| source.late.as_mut()).peekable();
        if matches!(taken, Taken::Frame(_)) && late.peek().is_some() {
            self.given = Some(Instant::now());
        }
        late.for_each(|late| *late += took.unwrap_or_default());
        taken
    }

    fn take_due(&mut self) -> Taken {
        let mut frames = Vec::new();
        for source in &mut self.sources {
            let worth = source.granted.grant.as_ref().map_or(GrantStatus::Valid, |grant| grant.status());
            let Some(feed) = source.feed.take_if(|_| worth != GrantStatus::Valid) else { continue };
            // An older snapshot is dropped, whichever run it belonged to.
            (self.first, self.last) = (None, None);
            if worth == GrantStatus::Unknown {
                self.sources.clear();
                return Taken::Frame(retry());
            }
            frames.push(gone(feed.id()));
        }
        if let Some(first) = self.first.take() {
            return Taken::Frame(first);
        }
        let mut only = None;
        let (mut behind, mut open, mut elsewhere) = (None, 0, false);
        for (place, source) in self.sources.iter_mut().enumerate() {
            let Some(feed) = &source.feed else { continue };
            open += 1;
            match feed.due(&mut source.seen) {
                // Most clients watch one run and get one frame.
                Pending::Frame(frame) => match only {
                    None => only = Some(frame),
                    Some(_) => frames.push(frame),
                },
                Pending::Behind => behind = Some(place),
                Pending::NotYet => source.late = None,
                over @ (Pending::Elsewhere | Pending::Nothing) => {
                    elsewhere |= matches!(over, Pending::Elsewhere);
                    source.feed = None;
                    open -= 1;
                }
            }
        }
        if elsewhere {
            self.last = None;
            frames.push(retry());
        }
        if let Some(last) = self.last.take_if(|_| open == 0) {
            frames.push(Frame::of(&[format!("id: {last}\n\n").into()]));
        }
        match (join(only.into_iter().chain(frames)), behind) {
            (Some(frame), _) => Taken::Frame(frame),
            (None, Some(place)) => Taken::Behind(place),
            (None, None) if open == 0 => Taken::Over,
            (None, None) => Taken::NotYet,
        }
    }

    /// Continues with a run of which too much was missed: with the next part, or with a new snapshot.
    pub(in crate::web) fn reopen(mut self, place: usize) -> BoxFuture<'static, Self> {
        Box::pin(async move {
            let Some(source) = self.sources.get_mut(place) else { return self };
            let Some(feed) = &source.feed else { return self };
            let late = source.late.get_or_insert_default();
            // A client that never catches up reads too slowly, and would fall further behind.
            if *late < self.processes.limits().reader_timeout {
                self.first = missed(&self.processes, feed, &mut source.seen).await;
                if self.first.is_some() {
                    return self;
                }
            }
            let told = SnapshotOptions {
                base: &self.base,
                rights: source.granted.rights,
                with_lines: source.with_lines,
            };
            let (frame, seen) = snapshot(&self.processes, feed, told, None, SLOW_TAIL_BYTES).await;
            (source.seen, source.late) = (seen, None);
            self.first = Some(frame);
            self
        })
    }
}

/// The event for a run that does not exist, or no longer does.
fn gone(run: RunId) -> Frame {
    Frame::of(&[event(Position::of(run, 0, 0), "gone", &Ping { run })])
}

/// Joins frames into one.
fn join(frames: impl IntoIterator<Item = Frame>) -> Option<Frame> {
    let mut frames = frames.into_iter();
    let first = frames.next()?;
    match frames.next() {
        None => Some(first),
        Some(second) => {
            let all: Vec<Bytes> = [first, second].into_iter().chain(frames).map(|one| one.events()).collect();
            Some(Frame::of(&all))
        }
    }
}

/// The reconnect delay, with jitter, so that clients do not all reconnect at the same moment.
pub(in crate::web) fn retry() -> Frame {
    // The operating system seeds each state; the value is not a secret.
    let random = RandomState::new().build_hasher().finish();
    Frame::of(&[format!("retry: {}\n\n", 1_000 + random % 4_000).into()])
}
