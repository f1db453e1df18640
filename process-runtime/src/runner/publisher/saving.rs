//! Saves a run's reports: the log piece by piece, and everything else with the last piece, so that a cursor is never
//! stored before the lines that precede it.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::super::timing::RETRY_DELAY;
use super::{GATHER, Look, Publisher};
use crate::process::BoxFuture;
use crate::run::LogLine;
use crate::store::{Batch, Lease, Store, StoreError};
use crate::text::OneLine;
use crate::throttle::Throttle;

static NOT_STORED: Throttle = Throttle::every(Duration::from_secs(10));

/// The bytes of log in one piece: other users of the store get their turn in between.
pub(super) const PIECE: usize = 1 << 20;

/// The lines up to a number, and what is stored together with the last of them.
pub(super) struct Saving {
    until: u64,
    rest: Batch,
    cursor_saves: u64,
    /// The piece that is being stored; `None` between two pieces.
    pub(super) piece: Option<Piece>,
}

pub(super) struct Piece {
    /// The number of its last line.
    last: u64,
    /// The size of its lines.
    size: usize,
    pub(super) answer: BoxFuture<'static, Result<(), StoreError>>,
}

impl Publisher {
    /// Saves what has accumulated, or the next piece of it.
    pub(in crate::runner) fn save(&mut self, store: &Arc<dyn Store>, lease: Lease) {
        self.take(Instant::now());
        self.save_at = None;
        let Some(batch) = self.next_piece() else { return };
        let (last, size) = extent(&batch);
        let store = Arc::clone(store);
        let answer = Box::pin(async move { store.append(lease, batch).await });
        if let Some(saving) = &mut self.saving {
            saving.piece = Some(Piece { last, size, answer });
        }
    }

    /// Returns the next piece; `None` if there is nothing to store.
    pub(super) fn next_piece(&mut self) -> Option<Batch> {
        let last = self.feed.last_seq();
        let Saving { until, rest, .. } = self.saving.get_or_insert_with(|| {
            let elapsed_ms = self.unsaved.elapsed_ms;
            let rest = std::mem::replace(&mut self.unsaved, Batch { elapsed_ms, ..Batch::default() });
            Saving { until: last, rest, cursor_saves: self.cursor_saves, piece: None }
        });
        let lines = self.feed.unstored(*until, PIECE);
        let is_last = lines.last().is_none_or(|line| line.seq >= *until);
        let mut batch =
            if is_last { rest.clone() } else { Batch { elapsed_ms: rest.elapsed_ms, ..Batch::default() } };
        if is_nothing(&batch) && lines.is_empty() && !std::mem::take(&mut self.time_is_due) {
            self.saving = None;
            return None;
        }
        batch.lines = lines;
        batch.omit = self.omit.take();
        self.omission.look(&mut batch);
        self.omit.clone_from(&batch.omit);
        if let Some(progress) = &mut batch.progress {
            progress.omitted_lines = self.omission.gone();
        }
        Some(batch)
    }

    /// Handles the answer of the store.
    pub(in crate::runner) fn saved(&mut self, result: Result<(), StoreError>) {
        let Some(piece) = self.saving.as_mut().and_then(|saving| saving.piece.take()) else { return };
        match result {
            Ok(()) => self.has(piece.last, piece.size),
            Err(error) => self.failed(&error),
        }
    }

    /// The store has the piece that ends with this line.
    pub(super) fn has(&mut self, last: u64, size: usize) {
        (self.failing, self.omit) = (false, None);
        self.feed.stored(last);
        if self.progress.lines_stored(size) {
            self.look = Look::At(Instant::now());
        }
        match self.saving.take_if(|saving| saving.until <= last || size == 0) {
            Some(saving) => self.progress.cursor_stored(saving.cursor_saves),
            None => return self.save_at = Some(Instant::now()),
        }
        // For reports that arrived during the save.
        if self.save_at.is_none() && (self.feed.unstored_size() > 0 || !is_nothing(&self.unsaved)) {
            self.due_in(GATHER);
        }
    }

    /// The store does not have the piece: its lines stay in the feed, and the rest goes with newer reports.
    pub(super) fn failed(&mut self, error: &StoreError) {
        if let Some(left_out) = NOT_STORED.admit() {
            tracing::error!(
                run = %self.progress.run_id(),
                "could not store progress and log; they stay in memory: {}{left_out}",
                OneLine(error)
            );
        }
        self.failing = true;
        self.progress.store_fails();
        self.put_back();
        self.save_at = Some(Instant::now() + RETRY_DELAY);
    }

    /// Merges what belonged to the last piece with newer reports.
    pub(super) fn put_back(&mut self) {
        if let Some(Saving { rest, .. }) = self.saving.take() {
            let newer = std::mem::replace(&mut self.unsaved, rest);
            let kept = &mut self.unsaved;
            kept.progress = newer.progress.or(kept.progress.take());
            kept.files = newer.files.or(kept.files.take());
            kept.failed_items = newer.failed_items.or(kept.failed_items.take());
            kept.cursor = newer.cursor.or(kept.cursor.take());
            kept.stalled = newer.stalled.or(kept.stalled);
            kept.elapsed_ms = newer.elapsed_ms;
        }
    }

    /// Waits for the save in progress, stores the last reports, however long that takes, and returns the last piece, to
    /// be stored with the end.
    ///
    /// # Errors
    ///
    /// If another node holds the run.
    pub(in crate::runner) async fn last(
        &mut self,
        store: &dyn Store,
        lease: Lease,
    ) -> Result<Batch, StoreError> {
        let now = Instant::now();
        // No later event follows, so progress is not held back.
        self.progress_at = now;
        self.progress.say_last_omitted();
        self.take(now);
        if let Some(piece) = self.saving.as_mut().and_then(|saving| saving.piece.as_mut()) {
            let result = (&mut piece.answer).await;
            self.saved(result);
        }
        self.put_back();
        loop {
            let Some(batch) = self.next_piece() else { return Ok(self.unsaved.clone()) };
            let (last, size) = extent(&batch);
            if last >= self.feed.last_seq() || size == 0 {
                return Ok(batch);
            }
            match store.append(lease, batch).await {
                Ok(()) => self.has(last, size),
                Err(StoreError::Fenced) => return Err(StoreError::Fenced),
                Err(error) => {
                    self.failed(&error);
                    sleep(RETRY_DELAY).await;
                }
            }
        }
    }
}

/// The number of the last line of a batch, and the size of its lines.
fn extent(batch: &Batch) -> (u64, usize) {
    (batch.lines.last().map_or(0, |line| line.seq), batch.lines.iter().map(LogLine::size).sum())
}

/// True if the batch changes nothing but the time.
fn is_nothing(batch: &Batch) -> bool {
    *batch == Batch { elapsed_ms: batch.elapsed_ms, ..Batch::default() }
}
