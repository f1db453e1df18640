//! Owns what one client watches: some runs, how far it has seen each, and what is due to it.
//! Refuses to know how it is written to the client, and who wakes it.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use smallvec::SmallVec;

use super::opening::{SLOW_TAIL_BYTES, TAIL_BYTES, Told, opening};
use super::respond::Context;
use super::rights::Granted;
use crate::feed::{Due, Feed, Seen};
use crate::processes::{Processes, Worth};
use crate::run::RunId;
use crate::viewers::Ticket;
use crate::wire::{Frame, Ping, Position, event};

/// One run that a client asks for.
pub(super) enum Watched {
    /// All of it, for someone who has seen this much.
    Run { feed: Arc<Feed>, granted: Granted, last: Option<Position> },
    /// All but its log.
    Bar { feed: Arc<Feed>, granted: Granted },
    /// There is no such run, or not any more.
    Gone(RunId),
}

impl Watched {
    /// A run, for someone who says what it has seen last of some.
    pub(super) fn run(feed: Arc<Feed>, granted: Granted, seen: &[Position]) -> Self {
        let last = seen.iter().find(|last| last.belongs_to(feed.id())).copied();
        Self::Run { feed, granted, last }
    }

    /// The run, and what its viewer may; `None` when there is none.
    pub(super) fn found(&self) -> Option<(RunId, Granted)> {
        match self {
            Self::Run { feed, granted, .. } | Self::Bar { feed, granted } => {
                Some((feed.id(), granted.clone()))
            }
            Self::Gone(_) => None,
        }
    }
}

/// What one client watches.
pub(super) struct Watching {
    processes: Processes,
    /// Where the router is mounted: addresses are in a snapshot.
    base: Box<str>,
    sources: SmallVec<[Source; 1]>,
    /// Due before anything else.
    first: Option<Frame>,
    /// What is said when all has ended, so that a client that comes back can be told to stay away.
    last: Option<Position>,
    /// Its place among the streams that may be open.
    _ticket: Ticket,
}

struct Source {
    /// `None` when nothing follows.
    feed: Option<Arc<Feed>>,
    granted: Granted,
    seen: Seen,
    with_lines: bool,
    /// It has not caught up since it began anew.
    late: bool,
}

/// What is due to a client.
pub(super) enum Taken {
    Frame(Frame),
    /// It is so far behind in one of its runs that a fresh opening is due.
    Behind(usize),
    NotYet,
    Over,
}

impl Watching {
    /// Begins to watch these runs: their openings are due first.
    pub(super) async fn open(context: &Context, ticket: Ticket, watched: Vec<Watched>) -> Self {
        let Context { processes, base, .. } = context;
        let mut sources = SmallVec::with_capacity(watched.len());
        let mut openings = Vec::with_capacity(watched.len());
        let mut ids = Vec::with_capacity(watched.len());
        for watched in watched {
            let (feed, granted, last, with_lines) = match watched {
                Watched::Run { feed, granted, last } => (feed, granted, last, true),
                Watched::Bar { feed, granted } => (feed, granted, None, false),
                Watched::Gone(run) => {
                    openings.push(gone(run));
                    continue;
                }
            };
            let told = Told { base, rights: granted.rights, with_lines };
            let (frame, seen) = opening(processes, &feed, told, last, TAIL_BYTES).await;
            ids.push(feed.id());
            openings.push(frame);
            sources.push(Source { feed: Some(feed), granted, seen, with_lines, late: false });
        }
        let last = (openings.len() > 1).then(|| Position::end_of(ids.into_iter()));
        Self {
            processes: processes.clone(),
            base: base.as_str().into(),
            sources,
            first: join(openings),
            last,
            _ticket: ticket,
        }
    }

    /// The runs that have not ended yet, by their place; `None` where nothing follows.
    pub(super) fn feeds(&self) -> impl Iterator<Item = Option<&Arc<Feed>>> {
        self.sources.iter().map(|source| source.feed.as_ref())
    }

    /// What is due now.
    pub(super) fn take(&mut self) -> Taken {
        let mut frames = Vec::new();
        for source in &mut self.sources {
            let worth = source.granted.pass.as_ref().map_or(Worth::Valid, |pass| pass.worth());
            let Some(feed) = source.feed.take_if(|_| worth != Worth::Valid) else { continue };
            // What was made before is not given any more, whichever of the runs it was about.
            (self.first, self.last) = (None, None);
            if worth == Worth::Unknown {
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
                Due::Frame(frame) => match only {
                    None => only = Some(frame),
                    Some(_) => frames.push(frame),
                },
                Due::Opening => behind = Some(place),
                Due::NotYet => source.late = false,
                over @ (Due::Elsewhere | Due::Nothing) => {
                    elsewhere |= matches!(over, Due::Elsewhere);
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

    /// Begins anew with a run of which too much was missed.
    pub(super) fn reopen(mut self, place: usize) -> BoxFuture<'static, Self> {
        Box::pin(async move {
            let Some(source) = self.sources.get_mut(place) else { return self };
            let Some(feed) = &source.feed else { return self };
            let run = feed.run();
            // Who is behind for the first time is given what it has missed. Who has not caught up since is slow, and
            // would fall behind further and further: it is given the present.
            let last = Position::of(run.id, run.attempt, source.seen.seq());
            let (last, most) = if source.late { (None, SLOW_TAIL_BYTES) } else { (Some(last), TAIL_BYTES) };
            let told =
                Told { base: &self.base, rights: source.granted.rights, with_lines: source.with_lines };
            let (frame, seen) = opening(&self.processes, feed, told, last, most).await;
            (source.seen, source.late) = (seen, true);
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
pub(super) fn retry() -> Frame {
    // Every state is seeded anew by the operating system; nothing secret hangs on it.
    let random = RandomState::new().build_hasher().finish();
    Frame::of(&[format!("retry: {}\n\n", 1_000 + random % 4_000).into()])
}
