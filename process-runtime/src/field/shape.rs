//! The description of a field's values as plain data: kind, bounds, choices.

use serde_json::Value;

use super::FieldInfo;

/// The kind of a field's values. It determines the input on the form and the JSON Schema.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Shape {
    /// A text.
    Text(TextRules),
    /// A number.
    Number {
        /// True if only whole numbers are accepted.
        integer: bool,
        /// The smallest accepted value.
        min: Option<Value>,
        /// The largest accepted value.
        max: Option<Value>,
        /// The distance between two accepted values, counted from `min`, or from 0 without `min`.
        step: Option<Value>,
    },
    /// A checkbox.
    Checkbox,
    /// A date or a time.
    Civil {
        /// The kind of date or time.
        kind: CivilKind,
        /// The earliest accepted value.
        min: Option<String>,
        /// The latest accepted value.
        max: Option<String>,
    },
    /// One of a few values.
    Choice {
        /// The choices.
        choices: Vec<Choice>,
        /// Shows all choices at once, as radio buttons.
        radio: bool,
    },
    /// A duration, such as `1h 30m` or `PT1H30M`.
    Duration {
        /// The shortest accepted duration, in ISO 8601.
        min: Option<String>,
        /// The longest accepted duration, in ISO 8601.
        max: Option<String>,
        /// The text that the empty input shows.
        placeholder: Option<&'static str>,
    },
    /// A value that is never shown or stored.
    Secret {
        /// The rules for its text.
        rules: TextRules,
        /// The kind of the value.
        value: Box<Shape>,
    },
    /// A file.
    Upload {
        /// The accepted files, in the syntax of HTML's `accept`: `.csv,text/csv`.
        accept: Option<&'static str>,
        /// The maximum size of the file, in bytes.
        max_size: u64,
    },
    /// Any number of values of the same kind.
    List {
        /// The kind of each value.
        item: Box<Shape>,
        /// True if `null` is a value, too.
        nullable: bool,
        /// The minimum number of values.
        min_len: Option<usize>,
        /// The maximum number of values.
        max_len: Option<usize>,
    },
    /// A group of fields.
    Group(Vec<FieldInfo>),
}

/// The rules for a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextRules {
    /// The format that the text must have.
    pub format: TextFormat,
    /// The minimum number of characters.
    pub min_len: Option<usize>,
    /// The maximum number of characters.
    pub max_len: Option<usize>,
    /// A regular expression that the whole text must match.
    pub pattern: Option<&'static str>,
    /// What to enter, for those whose text does not match the pattern.
    pub pattern_message: Option<&'static str>,
    /// The text that the empty input shows.
    pub placeholder: Option<&'static str>,
    /// True if the input has several lines.
    pub multiline: bool,
}

/// The format that a text must have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TextFormat {
    /// Any text.
    #[default]
    Plain,
    /// One character.
    Character,
    /// An e-mail address.
    Email,
    /// An absolute URL.
    Url,
    /// A UUID.
    Uuid,
}

/// A date, a time, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CivilKind {
    /// A date: `2026-11-21`.
    Date,
    /// A time of day: `14:30`.
    Time,
    /// A date and a time of day, without a time zone: `2026-11-21T14:30`.
    DateTime,
    /// A point in time, in UTC: `2026-11-21T14:30:00Z`.
    Timestamp,
}

/// One of the choices of a field.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The value, as sent and stored.
    pub value: Value,
    /// The label on the page.
    pub label: String,
    /// The hint under the label.
    pub help: Option<&'static str>,
}

impl Shape {
    /// Returns true if the shape is or contains a secret.
    pub fn has_secret(&self) -> bool {
        self.any(&|shape| matches!(shape, Self::Secret { .. }))
    }

    /// Returns true if the shape is or contains a file.
    pub fn has_upload(&self) -> bool {
        self.any(&|shape| matches!(shape, Self::Upload { .. }))
    }

    /// Returns the kind in a few words, without bounds and choices: `text`, `list of integer`, `(sku: text, count:
    /// integer)`.
    pub fn kind(&self) -> String {
        let word = match self {
            Self::Text(rules) => match rules.format {
                TextFormat::Plain => "text",
                TextFormat::Character => "character",
                TextFormat::Email => "e-mail address",
                TextFormat::Url => "URL",
                TextFormat::Uuid => "UUID",
            },
            Self::Number { integer: true, .. } => "integer",
            Self::Number { integer: false, .. } => "number",
            Self::Checkbox => "yes or no",
            Self::Civil { kind, .. } => match kind {
                CivilKind::Date => "date",
                CivilKind::Time => "time",
                CivilKind::DateTime => "date and time",
                CivilKind::Timestamp => "moment",
            },
            Self::Choice { .. } => "choice",
            Self::Duration { .. } => "duration",
            Self::Secret { .. } => "secret",
            Self::Upload { .. } => "file",
            Self::List { item, .. } => return format!("list of {}", item.kind()),
            Self::Group(fields) => return format!("({})", kinds(fields)),
        };
        word.to_owned()
    }

    fn any(&self, holds: &dyn Fn(&Self) -> bool) -> bool {
        holds(self)
            || match self {
                Self::List { item, .. } => item.any(holds),
                Self::Group(fields) => fields.iter().any(|field| field.shape.any(holds)),
                _ => false,
            }
    }
}

/// The names and kinds of fields: `percent: number, file: optional file`.
fn kinds(fields: &[FieldInfo]) -> String {
    let one = |field: &FieldInfo| {
        let optional = if field.is_optional() { "optional " } else { "" };
        format!("{}: {optional}{}", field.name, field.shape.kind())
    };
    fields.iter().map(one).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::{Field, PlainOptions, Upload};
    use super::*;

    fn text(format: TextFormat) -> Shape {
        Shape::Text(TextRules { format, ..TextRules::default() })
    }

    fn list(item: Shape) -> Shape {
        Shape::List { item: Box::new(item), nullable: false, min_len: Some(1), max_len: None }
    }

    #[test]
    fn every_shape_describes_its_kind() {
        let number =
            |integer| Shape::Number { integer, min: Some(json!(1)), max: None, step: Some(json!(0.5)) };
        let civil = |kind| Shape::Civil { kind, min: None, max: Some("2026".into()) };
        let north = Choice { value: json!("n"), label: "North".into(), help: None };
        let group = Shape::Group(vec![
            FieldInfo::new::<String>("sku", |options| options),
            FieldInfo::new::<Option<u32>>("count", |options| options),
        ]);
        let fixed = [
            (text(TextFormat::Plain), "text"),
            (text(TextFormat::Character), "character"),
            (text(TextFormat::Email), "e-mail address"),
            (text(TextFormat::Url), "URL"),
            (text(TextFormat::Uuid), "UUID"),
            (Shape::Duration { min: None, max: Some("PT1H".into()), placeholder: None }, "duration"),
            (number(true), "integer"),
            (number(false), "number"),
            (Shape::Checkbox, "yes or no"),
            (civil(CivilKind::Date), "date"),
            (civil(CivilKind::Time), "time"),
            (civil(CivilKind::DateTime), "date and time"),
            (civil(CivilKind::Timestamp), "moment"),
            (Shape::Choice { choices: vec![north], radio: true }, "choice"),
            (Shape::Secret { rules: TextRules::default(), value: Box::new(number(true)) }, "secret"),
            (Shape::Upload { accept: Some(".csv"), max_size: 5 }, "file"),
            (list(list(number(true))), "list of list of integer"),
            (list(group.clone()), "list of (sku: text, count: optional integer)"),
            (group, "(sku: text, count: optional integer)"),
            (Shape::Group(Vec::new()), "()"),
        ];
        for (shape, kind) in fixed {
            assert_eq!(shape.kind(), kind);
        }
    }

    #[test]
    fn shape_depends_on_names_and_kinds() {
        /// A field with options that have no meaning for the test.
        fn plain<T: Field<Options = PlainOptions<T>>>(name: &'static str) -> FieldInfo {
            FieldInfo::new::<T>(name, |mut options| {
                options.label = Some("A label");
                options.help = Some("A hint");
                options
            })
        }
        let fields = [
            FieldInfo::new::<f64>("percent", |mut options| {
                (options.default, options.max) = (Some(2.5), Some(100.0));
                options
            }),
            plain::<bool>("force"),
            FieldInfo::new::<Option<Upload>>("file", |options| options),
        ];
        assert_eq!(kinds(&fields), "percent: number, force: yes or no, file: optional file");
        assert_eq!(kinds(&[]), "");
    }
}
