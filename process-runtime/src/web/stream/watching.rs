//! What one client watches: its runs, how far it has seen each, and which events are pending for it.

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

/// How much of their logs the runs of one client bring in their openings together, in bytes.
const OPENINGS_BYTES: usize = 4 * TAIL_BYTES;

/// One run that a client asks for.
pub(in crate::web) enum Watched {
    /// All of it, for someone who has seen this much.
    Run { feed: Arc<Feed>, granted: Granted, last: Option<Position> },
    /// All but its log.
    Bar { feed: Arc<Feed>, granted: Granted },
    /// There is no such run, or not any more.
    Gone(RunId),
}

impl Watched {
    /// A run, for someone who says what it has seen last of some.
    pub(in crate::web) fn run(feed: Arc<Feed>, granted: Granted, seen: &[Position]) -> Self {
        let last = seen.iter().find(|last| last.belongs_to(feed.id())).copied();
        Self::Run { feed, granted, last }
    }

    /// The run, and what its viewer may; `None` when there is none.
    pub(in crate::web) fn found(&self) -> Option<(RunId, Granted)> {
        match self {
            Self::Run { feed, granted, .. } | Self::Bar { feed, granted } => {
                Some((feed.id(), granted.clone()))
            }
            Self::Gone(_) => None,
        }
    }
}

/// What one client watches.
pub(in crate::web) struct Watching {
    processes: Processes,
    /// Where the router is mounted: addresses are in a snapshot.
    base: Box<str>,
    sources: SmallVec<[Source; 1]>,
    /// Pending before anything else.
    first: Option<Frame>,
    /// When one who has fallen behind was last given something.
    given: Option<Instant>,
    /// What is said when all has ended, so that a client that comes back can be told to stay away.
    last: Option<Position>,
    /// Its place among the streams that may be open.
    _ticket: Ticket,
}

struct Source {
    /// `None` when nothing follows.
    feed: Option<Arc<Feed>>,
    granted: Granted,
    seen: Offset,
    with_lines: bool,
    /// It has fallen behind, and has taken so long since then for what it was given.
    late: Option<Duration>,
}

/// What is due to a client.
pub(in crate::web) enum Taken {
    Frame(Frame),
    /// It is behind in one of its runs, and what it has missed is not at hand.
    Behind(usize),
    NotYet,
    Over,
}

impl Watching {
    /// Begins to watch these runs: their openings are due first.
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

    /// The runs that have not ended yet, by their place; `None` where nothing follows.
    pub(in crate::web) fn feeds(&self) -> impl Iterator<Item = Option<&Arc<Feed>>> {
        self.sources.iter().map(|source| source.feed.as_ref())
    }

    /// What is due now.
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
            // What was made before is not given any more, whichever of the runs it was about.
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
                // One run and one frame is what nearly everybody has.
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

    /// Goes on with a run of which too much was missed: with what comes next, or anew with the present.
    pub(in crate::web) fn reopen(mut self, place: usize) -> BoxFuture<'static, Self> {
        Box::pin(async move {
            let Some(source) = self.sources.get_mut(place) else { return self };
            let Some(feed) = &source.feed else { return self };
            let late = source.late.get_or_insert_default();
            // Who does not catch up reads too slowly, and would fall behind further and further.
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

/// Says that a run is not there, or not any more.
fn gone(run: RunId) -> Frame {
    Frame::of(&[event(Position::of(run, 0, 0), "gone", &Ping { run })])
}

/// All of these in one.
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

/// Browsers come back after a while, and not all at the same moment.
pub(in crate::web) fn retry() -> Frame {
    // Every state is seeded anew by the operating system; nothing secret hangs on it.
    let random = RandomState::new().build_hasher().finish();
    Frame::of(&[format!("retry: {}\n\n", 1_000 + random % 4_000).into()])
}
