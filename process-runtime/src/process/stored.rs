//! Whether what is stored of a run can be given to its process as it is now. Only values are compared: after an update
//! of the program, whatever reads into the new fields and the new cursor is taken.
//!
//! The `validate` function of a process is for what people give to a start. What was accepted once is not held against
//! it a second time.

use serde_json::{Map, Value};

use super::Process;
use crate::field::{FieldErrors, FieldInfo, Shape};
use crate::parameter::ParameterInfo;
use crate::run::SavedCursor;
use crate::text::clip;

/// How much of a stored value is repeated in a message, in bytes.
const MAX_SHOWN: usize = 200;

impl Process {
    /// Takes out of a stored input what the process does not ask for any more, and names it.
    pub(crate) fn leave_out_unknown(&self, input: &mut Map<String, Value>) -> Vec<String> {
        let mut left_out = Vec::new();
        known(&self.fields(), input, "", &mut left_out);
        left_out
    }

    /// What of a stored input does not read into these of the fields. Unknown values are no error.
    pub(crate) fn misfits(&self, input: &Map<String, Value>, of: impl Fn(&FieldInfo) -> bool) -> FieldErrors {
        let mut input = input.clone();
        self.leave_out_unknown(&mut input);
        let mut errors = FieldErrors::default();
        for field in self.fields().into_iter().filter(of) {
            errors.extend(field.check(input.get(field.name)).err().unwrap_or_default());
        }
        errors
    }

    /// Why a run cannot go on from a stored cursor.
    pub(crate) fn misfit_of_cursor(&self, cursor: &SavedCursor) -> Option<String> {
        let fits = (self.parameters)().into_iter().find_map(|parameter| match parameter {
            ParameterInfo::Cursor { fits, .. } => Some(fits),
            _ => None,
        });
        match fits {
            Some(fits) => fits(&cursor.value).err(),
            None => Some(format!(
                "the run is at {}, and its process takes no cursor any more",
                clip(cursor.value.to_string(), MAX_SHOWN)
            )),
        }
    }

    /// The errors in one sentence, each with what was stored and what is asked for now. Of secrets and files no more
    /// is said than the error says.
    pub(crate) fn explain(&self, errors: &FieldErrors, input: &Map<String, Value>) -> String {
        let fields = self.fields();
        let explained = errors.iter().map(|error| {
            let name = error.field.split('.').next().unwrap_or_default();
            let field = fields.iter().find(|field| field.name == name);
            match field.filter(|field| !field.shape.has_secret() && !field.shape.has_upload()) {
                Some(field) => {
                    let stored =
                        input.get(name).map_or("nothing".into(), |value| clip(value.to_string(), MAX_SHOWN));
                    format!("{error} (stored: {stored}; asked for: {})", field.shape.kind())
                }
                None => error.to_string(),
            }
        });
        explained.collect::<Vec<_>>().join("; ")
    }
}

/// Leaves the values of these fields, in groups and lists too.
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
            known(fields, values, &format!("{place}."), left_out)
        }
        (Shape::List { item, .. }, Value::Array(entries)) => {
            for (index, entry) in entries.iter_mut().enumerate() {
                known_in(item, entry, &format!("{place}.{index}"), left_out);
            }
        }
        _ => {}
    }
}
