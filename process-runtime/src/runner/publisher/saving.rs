//! How a run's news are stored: a piece of the log at a time, and all else together with the last piece, so that what
//! a cursor says is never stored before the lines that came before it.

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

/// How much of the log the store is given at a time, in bytes: others have their turn in between.
pub(super) const PIECE: usize = 1 << 20;

/// The lines up to one of them, and what is stored together with the last.
pub(super) struct Saving {
    until: u64,
    rest: Batch,
    cursor_saves: u64,
    /// The piece that the store has been given; `None` before the next one.
    pub(super) piece: Option<Piece>,
}

pub(super) struct Piece {
    /// Its last line.
    last: u64,
    /// How much its lines are.
    size: usize,
    pub(super) answer: BoxFuture<'static, Result<(), StoreError>>,
}

impl Publisher {
    /// Gives the store what has gathered, or the next piece of it.
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

    /// What the store is to be given next; `None` when there is nothing.
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
        if is_nothing(&batch) && lines.is_empty() {
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

    /// The store has answered.
    pub(in crate::runner) fn saved(&mut self, result: Result<(), StoreError>) {
        let Some(piece) = self.saving.as_mut().and_then(|saving| saving.piece.take()) else { return };
        match result {
            Ok(()) => self.has(piece.last, piece.size),
            Err(error) => self.failed(&error),
        }
    }

    /// The store has a piece, whose last line is this one.
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
        // What came while it was given the pieces.
        if self.save_at.is_none() && (self.feed.unstored_size() > 0 || !is_nothing(&self.unsaved)) {
            self.due_in(GATHER);
        }
    }

    /// The store does not have a piece: its lines are where they were, and the rest goes with what has come since.
    pub(super) fn failed(&mut self, error: &StoreError) {
        if let Some(left_out) = NOT_STORED.admit() {
            tracing::error!(
                run = %self.progress.run_id(),
                "news could not be stored, and are kept: {}{left_out}",
                OneLine(error)
            );
        }
        self.failing = true;
        self.progress.store_fails();
        self.put_back();
        self.save_at = Some(Instant::now() + RETRY_DELAY);
    }

    /// Puts what was to go with the last piece behind what has come since.
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

    /// Waits for what is on its way, stores what was reported last, however long that takes, and gives the last piece
    /// of it, to be stored with the end.
    ///
    /// # Errors
    ///
    /// When somebody else holds the run.
    pub(in crate::runner) async fn last(
        &mut self,
        store: &dyn Store,
        lease: Lease,
    ) -> Result<Batch, StoreError> {
        let now = Instant::now();
        // Nothing follows it that it could be held back for.
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

/// The last line of a batch, and how much its lines are.
fn extent(batch: &Batch) -> (u64, usize) {
    (batch.lines.last().map_or(0, |line| line.seq), batch.lines.iter().map(LogLine::size).sum())
}

/// True when a batch changes nothing but the time.
fn is_nothing(batch: &Batch) -> bool {
    *batch == Batch { elapsed_ms: batch.elapsed_ms, ..Batch::default() }
}
