//! Secrets of runs that were started here: in memory only, until their runs have ended.

use std::collections::HashMap;

use parking_lot::Mutex;
use serde_json::{Map, Value};

use crate::run::RunId;

/// The inputs of runs that have a secret in them. It has no `Debug`.
#[derive(Default)]
pub(crate) struct Secrets(Mutex<HashMap<RunId, Map<String, Value>>>);

impl Secrets {
    /// Keeps the values of these fields for a run.
    pub(crate) fn keep(&self, run: RunId, values: Map<String, Value>) {
        self.0.lock().insert(run, values);
    }

    /// Puts them in the place of what was stored.
    pub(super) fn put_back(&self, run: RunId, input: &mut Map<String, Value>) {
        input.extend(self.0.lock().get(&run).cloned().unwrap_or_default());
    }

    /// The run has ended, or will never begin.
    pub(crate) fn forget(&self, run: RunId) {
        self.0.lock().remove(&run);
    }
}
