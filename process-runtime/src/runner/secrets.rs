//! Secrets of runs that were started here: in memory only, until their runs have ended.

use std::collections::HashMap;

use parking_lot::Mutex;
use serde_json::{Map, Value};

use crate::run::RunId;

/// The secret inputs of runs. It has no `Debug`.
#[derive(Default)]
pub(crate) struct Secrets(Mutex<HashMap<RunId, Map<String, Value>>>);

impl Secrets {
    /// Keeps the secret values of a run.
    pub(crate) fn keep(&self, run: RunId, values: Map<String, Value>) {
        self.0.lock().insert(run, values);
    }

    /// Puts the secrets back into the stored input.
    pub(super) fn put_back(&self, run: RunId, input: &mut Map<String, Value>) {
        input.extend(self.0.lock().get(&run).cloned().unwrap_or_default());
    }

    /// Removes the secrets of a run that has ended or will never start.
    pub(crate) fn forget(&self, run: RunId) {
        self.0.lock().remove(&run);
    }
}
