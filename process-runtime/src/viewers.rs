//! Counts open streams, in all, per run and per person, and refuses those beyond the limits.
//!
//! It is used when a stream begins and ends, never for an event.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::Arc;

use parking_lot::Mutex;
use smallvec::SmallVec;

use crate::limits::Limits;
use crate::meters::Viewer;
use crate::run::RunId;

/// The streams that are open.
pub(crate) struct Viewers {
    limits: Limits,
    open: Mutex<OpenStreams>,
}

#[derive(Default)]
struct OpenStreams {
    all: usize,
    of_run: HashMap<RunId, usize>,
    of_actor: HashMap<Arc<str>, usize>,
}

/// The limit that refuses one more stream, with its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Crowded {
    /// The limit of all streams.
    All(usize),
    /// The limit of viewers of one run.
    Run(usize),
    /// The limit of streams of one actor.
    Actor(usize),
}

/// The permit of one stream, which is released on drop.
pub(crate) struct Ticket {
    viewers: Arc<Viewers>,
    runs: SmallVec<[RunId; 1]>,
    actor: Option<Arc<str>>,
    _counted: Viewer,
}

impl Viewers {
    pub(crate) fn new(limits: Limits) -> Arc<Self> {
        Arc::new(Self { limits, open: Mutex::default() })
    }

    /// Counts in a stream of these runs, each named once.
    pub(crate) fn enter(
        self: &Arc<Self>,
        runs: impl IntoIterator<Item = RunId>,
        actor: Option<Arc<str>>,
    ) -> Result<Ticket, Crowded> {
        let Limits { max_viewers, max_viewers_per_run, max_viewers_per_actor, .. } = self.limits;
        let runs: SmallVec<[RunId; 1]> = runs.into_iter().collect();
        let mut open = self.open.lock();
        if open.all >= max_viewers {
            return Err(Crowded::All(max_viewers));
        }
        let is_full = |run: &RunId| open.of_run.get(run).is_some_and(|now| *now >= max_viewers_per_run);
        if max_viewers_per_run == 0 || runs.iter().any(is_full) {
            return Err(Crowded::Run(max_viewers_per_run));
        }
        if let Some(actor) = &actor
            && open.of_actor.get(actor).copied().unwrap_or(0) >= max_viewers_per_actor
        {
            return Err(Crowded::Actor(max_viewers_per_actor));
        }
        open.all += 1;
        for run in &runs {
            *open.of_run.entry(*run).or_default() += 1;
        }
        if let Some(actor) = &actor {
            *open.of_actor.entry(Arc::clone(actor)).or_default() += 1;
        }
        drop(open);
        Ok(Ticket { viewers: Arc::clone(self), runs, actor, _counted: Viewer::new() })
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut open = self.viewers.open.lock();
        open.all -= 1;
        for run in &self.runs {
            leave(&mut open.of_run, run);
        }
        if let Some(actor) = &self.actor {
            leave(&mut open.of_actor, actor);
        }
    }
}

fn leave<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn viewers(viewers: usize, viewers_of_run: usize, viewers_of_actor: usize) -> Arc<Viewers> {
        Viewers::new(
            Limits::default()
                .max_viewers(viewers)
                .max_viewers_per_run(viewers_of_run)
                .max_viewers_per_actor(viewers_of_actor),
        )
    }

    #[test]
    fn each_viewer_limit_holds_separately() {
        let (one, other) = (RunId::new(), RunId::new());
        let all = viewers(3, 2, 1);
        let ada: Arc<str> = "ada".into();
        let first = all.enter([one], Some(Arc::clone(&ada))).ok().unwrap();
        assert_eq!(all.enter([other], Some(Arc::clone(&ada))).err(), Some(Crowded::Actor(1)));
        let _second = all.enter([one, other], None).ok().unwrap();
        assert_eq!(all.enter([other, one], None).err(), Some(Crowded::Run(2)));
        let _third = all.enter([other], None).ok().unwrap();
        assert_eq!(all.enter([RunId::new()], None).err(), Some(Crowded::All(3)));
        drop(first);
        assert!(all.enter([one], Some(ada)).is_ok());
    }

    #[test]
    fn departed_viewers_are_forgotten() {
        let all = viewers(10, 10, 10);
        let tickets: Vec<_> =
            (0..10).map(|n| all.enter([RunId::new()], Some(n.to_string().into())).ok().unwrap()).collect();
        drop(tickets);
        let open = all.open.lock();
        assert_eq!((open.all, open.of_run.len(), open.of_actor.len()), (0, 0, 0));
    }
}
