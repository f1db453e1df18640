//! The damaged records, which are left out of all answers.

use std::collections::HashSet;
use std::fmt::Display;

use parking_lot::Mutex;

use crate::text::OneLine;

/// The damaged records that are known: each is reported once.
#[derive(Default)]
pub(super) struct Damage(Mutex<HashSet<String>>);

impl Damage {
    pub(super) fn report(&self, record: &impl Display) {
        let record = record.to_string();
        if self.0.lock().insert(record.clone()) {
            tracing::error!("{}; the record is skipped", OneLine(record));
        }
    }
}
