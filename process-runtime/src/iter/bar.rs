//! The bar that moves with a loop's items.

use std::panic::Location;

use crate::context;
use crate::progress::Progress;

/// The reports of a loop, and the run that they belong to.
#[derive(Debug)]
pub(super) struct Bar {
    /// `None` outside a run.
    run: Option<Progress>,
    done: u64,
    /// 0 if the total is unknown.
    total: u64,
    /// How many items were handed out and do not count as done yet: `nth` can make it more than one.
    at_hand: u64,
    /// True from the request for an item until it arrives: a stream may be polled several times for one item.
    asked: bool,
    /// Once the first item was requested: true if the loop is inside of another one.
    is_inner: Option<bool>,
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.leave_loop();
    }
}

impl Bar {
    pub(super) fn new(word: &'static str, done: u64, total: u64, caller: &'static Location<'static>) -> Self {
        let run = context::current_for(word, caller);
        Self { run, done, total, at_hand: 0, asked: false, is_inner: None }
    }

    /// The loop asks for the next item, so the current one is done. May leave the body, as a helper does.
    pub(super) fn ask(&mut self) {
        if std::mem::replace(&mut self.asked, true) {
            return;
        }
        self.done += std::mem::take(&mut self.at_hand);
        if let Some(run) = &self.run {
            if *self.is_inner.get_or_insert_with(|| run.enter_loop()) {
                run.set_inner_of(self.done, self.total);
            } else {
                run.set_progress_of(self.done, self.total);
            }
            run.leave_if_stopped();
        }
    }

    /// An item arrived, after `passed` skipped ones, or the iterator ended.
    pub(super) fn came<T>(&mut self, item: Option<&T>, passed: usize) {
        self.asked = false;
        if item.is_some() {
            self.at_hand = passed as u64 + 1;
        } else {
            self.leave_loop();
        }
    }

    fn leave_loop(&mut self) {
        if let (Some(run), Some(is_inner)) = (&self.run, self.is_inner.take()) {
            run.leave_loop(is_inner);
        }
    }
}

/// An iterator or a stream whose items move the progress bar: see [`ProgressIterator::progress`].
///
/// [`ProgressIterator::progress`]: super::ProgressIterator::progress
#[derive(Debug)]
#[must_use = "iterators and streams are lazy: nothing happens until items are requested"]
pub struct WithProgress<I> {
    pub(super) inner: I,
    pub(super) bar: Bar,
}

impl<I> WithProgress<I> {
    pub(super) fn new(inner: I, bar: Bar) -> Self {
        Self { inner, bar }
    }
}

impl<I: Iterator> Iterator for WithProgress<I> {
    type Item = I::Item;

    #[inline]
    fn next(&mut self) -> Option<I::Item> {
        self.nth(0)
    }

    #[inline]
    fn nth(&mut self, n: usize) -> Option<I::Item> {
        self.bar.ask();
        let item = self.inner.nth(n);
        self.bar.came(item.as_ref(), n);
        item
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}

impl<I: ExactSizeIterator> ExactSizeIterator for WithProgress<I> {}
