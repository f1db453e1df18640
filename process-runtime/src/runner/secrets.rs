//! Secrets of runs that were started here: in memory only, until their runs have ended.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value};

use crate::run::RunId;

/// The secret inputs of runs. It has no `Debug`.
#[derive(Default)]
pub(crate) struct Secrets(Mutex<HashMap<RunId, Map<String, Value>>>);

impl Secrets {
    /// Keeps the secret values of a run.
    pub(crate) fn keep(&self, run: RunId, values: Map<String, Value>) {
        self.map().insert(run, values);
    }

    /// Puts the secrets back into the stored input.
    pub(super) fn put_back(&self, run: RunId, input: &mut Map<String, Value>) {
        input.extend(self.map().get(&run).cloned().unwrap_or_default());
    }

    /// Removes the secrets of a run that has ended or will never start.
    pub(crate) fn forget(&self, run: RunId) {
        self.map().remove(&run);
    }

    fn map(&self) -> MutexGuard<'_, HashMap<RunId, Map<String, Value>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
