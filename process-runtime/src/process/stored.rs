//! Checks whether a stored input or cursor still fits the current version of its process. Only values are compared:
//! after an update of the program, any value that reads into the new fields or the new cursor is accepted.
//!
//! The `validate` function of a process applies to new starts only. It is not called again for an input that was
//! accepted before.

use serde_json::{Map, Value};

use super::Process;
use crate::field::{FieldErrors, FieldInfo, Shape};
use crate::parameter::ParameterInfo;
use crate::run::SavedCursor;
use crate::text::clip;

/// How much of a stored value a message repeats, in bytes.
const MAX_SHOWN: usize = 200;

impl Process {
    /// Removes the values of former fields from a stored input, and returns their names.
    pub(crate) fn leave_out_unknown(&self, input: &mut Map<String, Value>) -> Vec<String> {
        let mut left_out = Vec::new();
        known(&self.fields(), input, "", &mut left_out);
        left_out
    }

    /// The errors of a stored input for the selected fields. Unknown values are not errors.
    pub(crate) fn mismatches(
        &self,
        input: &Map<String, Value>,
        of: impl Fn(&FieldInfo) -> bool,
    ) -> FieldErrors {
        let mut input = input.clone();
        self.leave_out_unknown(&mut input);
        let mut errors = FieldErrors::default();
        for field in self.fields().into_iter().filter(of) {
            errors.extend(field.check(input.get(field.name)).err().unwrap_or_default());
        }
        errors
    }

    /// Why a run cannot resume from a stored cursor, if so.
    pub(crate) fn cursor_mismatch(&self, cursor: &SavedCursor) -> Option<String> {
        let fits = (self.parameters)().into_iter().find_map(|parameter| match parameter {
            ParameterInfo::Cursor { fits, .. } => Some(fits),
            _ => None,
        });
        match fits {
            Some(fits) => fits(&cursor.value).err(),
            None => Some(format!(
                "the run is at {}, but its process no longer has a cursor",
                clip(cursor.value.to_string(), MAX_SHOWN)
            )),
        }
    }

    /// The errors in one sentence, each with the stored value and the current requirement. For secrets and files it
    /// contains only the error.
    pub(crate) fn explain(&self, errors: &FieldErrors, input: &Map<String, Value>) -> String {
        let fields = self.fields();
        let explained = errors.iter().map(|error| {
            let name = error.field.split('.').next().unwrap_or_default();
            let field = fields.iter().find(|field| field.name == name);
            match field.filter(|field| !field.shape.has_secret() && !field.shape.has_upload()) {
                Some(field) => {
                    let stored =
                        input.get(name).map_or("nothing".into(), |value| clip(value.to_string(), MAX_SHOWN));
                    format!("{error} (stored: {stored}; expected: {})", field.shape.kind())
                }
                None => error.to_string(),
            }
        });
        explained.collect::<Vec<_>>().join("; ")
    }
}

/// Keeps the values of these fields only, including those in groups and lists.
fn known(fields: &[FieldInfo], values: &mut Map<String, Value>, place: &str, left_out: &mut Vec<String>) {
    values.retain(|name, _| {
        let known = fields.iter().any(|field| field.name == name);
        if !known {
            left_out.push(format!("{place}{name}"));
        }
        known
    });
    for field in fields {
        if let Some(value) = values.get_mut(field.name) {
            known_in(&field.shape, value, &format!("{place}{}", field.name), left_out);
        }
    }
}

fn known_in(shape: &Shape, value: &mut Value, place: &str, left_out: &mut Vec<String>) {
    match (shape, value) {
        (Shape::Group(fields), Value::Object(values)) => {
            known(fields, values, &format!("{place}."), left_out);
        }
        (Shape::List { item, .. }, Value::Array(entries)) => {
            for (index, entry) in entries.iter_mut().enumerate() {
                known_in(item, entry, &format!("{place}.{index}"), left_out);
            }
        }
        _ => {}
    }
}
