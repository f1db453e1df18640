//! The keywords for bounds of time stamps, which validators other than Ajv do not have.

use jiff::Timestamp;
use jsonschema::{Keyword, ValidationError, ValidationOptions};
use serde_json::Value;

struct Bound {
    bound: Timestamp,
    is_least: bool,
}

impl<'i> Keyword<'i> for Bound {
    fn validate(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        match self.is_valid(instance) {
            true => Ok(()),
            false => Err(ValidationError::custom(format!("{instance} is beyond {}", self.bound))),
        }
    }

    fn is_valid(&self, instance: &'i Value) -> bool {
        let moment = instance.as_str().and_then(|text| text.parse::<Timestamp>().ok());
        moment.is_none_or(|moment| if self.is_least { moment >= self.bound } else { moment <= self.bound })
    }
}

pub(crate) fn with_bounds_of_times<'a>(options: ValidationOptions<'a>) -> ValidationOptions<'a> {
    let read = |bound: &Value| bound.as_str().unwrap().parse().unwrap();
    options
        .with_keyword("formatMinimum", move |_, value, _| {
            Ok(Box::new(Bound { bound: read(value), is_least: true }))
        })
        .with_keyword("formatMaximum", move |_, value, _| {
            Ok(Box::new(Bound { bound: read(value), is_least: false }))
        })
}
