//! Group commit: which writes share a transaction, bounded in number and bytes. Light writes go first, every other
//! time alone, so that a start waits for at most one group of log lines.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// The most operations that share one commit.
const GROUP: usize = 1_024;
/// The most bytes that the operations of a group write together. A single larger operation is a group of its own.
const WEIGHT: usize = 1 << 20;
/// A group is committed after this time, even if more operations are queued.
const TIME: Duration = Duration::from_millis(25);
/// An operation that writes more than this is heavy, and light ones may overtake it.
const LIGHT: usize = 16 << 10;

/// A write, and its size in bytes.
pub(super) struct Weighed<W> {
    pub(super) weight: usize,
    pub(super) value: W,
}

/// The writes that are queued.
pub(super) struct Groups<W> {
    queue: Receiver<Weighed<W>>,
    light: VecDeque<Weighed<W>>,
    heavy: VecDeque<Weighed<W>>,
    /// The last group contained no heavy write, though some were queued.
    overtaken: bool,
}

impl<W> Groups<W> {
    pub(super) fn of(queue: Receiver<Weighed<W>>) -> Self {
        Self { queue, light: VecDeque::new(), heavy: VecDeque::new(), overtaken: false }
    }

    /// Waits for a write. Returns false if none came in time, and an error once there will be none.
    pub(super) fn wait(&mut self, patience: Option<Duration>) -> Result<bool, RecvTimeoutError> {
        if self.light.is_empty() && self.heavy.is_empty() {
            let first = match patience {
                Some(patience) => self.queue.recv_timeout(patience),
                None => self.queue.recv().map_err(RecvTimeoutError::from),
            };
            match first {
                Ok(first) => self.add(first),
                Err(RecvTimeoutError::Timeout) => return Ok(false),
                Err(gone) => return Err(gone),
            }
        }
        Ok(true)
    }

    fn add(&mut self, write: Weighed<W>) {
        if write.weight > LIGHT { &mut self.heavy } else { &mut self.light }.push_back(write);
    }

    fn add_waiting(&mut self) {
        while let Ok(write) = self.queue.try_recv() {
            self.add(write);
        }
    }

    /// The writes of the next group in order, including those that arrive while it is written.
    pub(super) fn next(&mut self) -> impl Iterator<Item = W> {
        self.add_waiting();
        // A heavy write is overtaken at most once.
        self.overtaken = !self.overtaken && !self.light.is_empty() && !self.heavy.is_empty();
        let (began, mut light, mut heavy, mut weight) = (Instant::now(), 0, 0, 0_usize);
        std::iter::from_fn(move || {
            let has_time = began.elapsed() < TIME;
            if self.light.is_empty() {
                self.add_waiting();
            }
            if light + 1 < GROUP
                && (has_time || light == 0)
                && let Some(next) = self.light.pop_front()
            {
                light += 1;
                weight = weight.saturating_add(next.weight);
                return Some(next.value);
            }
            if self.overtaken {
                return None;
            }
            // At least one heavy write, however long the light ones took.
            let fits = |next: &Weighed<W>| has_time && weight.saturating_add(next.weight) <= WEIGHT;
            let next = self.heavy.front().filter(|next| heavy == 0 || fits(next))?;
            weight = weight.saturating_add(next.weight);
            heavy += 1;
            self.heavy.pop_front().map(|next| next.value)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    fn groups(weights: &[usize]) -> Groups<usize> {
        let (sender, queue) = channel();
        for (value, weight) in weights.iter().enumerate() {
            sender.send(Weighed { weight: *weight, value }).unwrap();
        }
        Groups::of(queue)
    }

    fn all(mut groups: Groups<usize>) -> Vec<Vec<usize>> {
        std::iter::from_fn(|| groups.wait(None).is_ok().then(|| groups.next().collect())).collect()
    }

    #[test]
    fn light_writes_overtake_heavy_ones() {
        let heavy = 900 << 10;
        assert_eq!(all(groups(&[heavy, heavy, 0, heavy, 100])), [vec![2, 4], vec![0], vec![1], vec![3]]);
    }

    #[test]
    fn heavy_writes_share_a_bounded_weight() {
        let third = 300 << 10;
        assert_eq!(all(groups(&[third; 7])), [vec![0, 1, 2], vec![3, 4, 5], vec![6]]);
        // A write that is larger than a group is a group of its own.
        assert_eq!(all(groups(&[usize::MAX, usize::MAX])), [vec![0], vec![1]]);
    }

    #[test]
    fn heavy_write_is_overtaken_once() {
        let weights: Vec<_> = std::iter::once(1 << 20).chain([0; 3_000]).collect();
        let groups = all(groups(&weights));
        assert!(!groups[0].contains(&0) && groups[1].contains(&0));
        assert!(groups.iter().all(|group| group.len() <= GROUP), "{}", groups[1].len());
    }
}
