//! The description of a field's values: kind, bounds, choices. Plain data.

use serde_json::Value;

use super::FieldInfo;

/// What kind of value a field has: a form shows its input by this, and a schema is written from it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Shape {
    /// A text.
    Text(TextRules),
    /// A number.
    Number {
        /// True when only whole numbers are accepted.
        integer: bool,
        /// The least that is accepted.
        min: Option<Value>,
        /// The most that is accepted.
        max: Option<Value>,
        /// The distance between two values, counted from the least, or else from 0.
        step: Option<Value>,
    },
    /// A box to tick.
    Checkbox,
    /// A date or a time.
    Civil {
        /// Which of them.
        kind: CivilKind,
        /// The earliest that is accepted.
        min: Option<String>,
        /// The latest that is accepted.
        max: Option<String>,
    },
    /// One of a few values.
    Choice {
        /// What is offered.
        choices: Vec<Choice>,
        /// True when all are shown at once, with a button each.
        radio: bool,
    },
    /// A value that is never shown or stored.
    Secret(TextRules),
    /// A file.
    Upload {
        /// Which files a browser offers, as in `accept` of HTML: `.csv,text/csv`.
        accept: Option<&'static str>,
        /// The largest file that is accepted, in bytes.
        max_size: u64,
    },
    /// Any number of values of one kind.
    List {
        /// The kind of each.
        item: Box<Shape>,
        /// How many there must be.
        min_len: Option<usize>,
        /// How many there may be.
        max_len: Option<usize>,
    },
    /// Fields that belong together.
    Group(Vec<FieldInfo>),
}

/// What holds for a text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextRules {
    /// What the text must be readable as.
    pub format: TextFormat,
    /// The fewest characters.
    pub min_len: Option<usize>,
    /// The most characters.
    pub max_len: Option<usize>,
    /// A regular expression that the whole text must match.
    pub pattern: Option<&'static str>,
    /// What the empty input shows.
    pub placeholder: Option<&'static str>,
    /// True when the input has several lines.
    pub multiline: bool,
}

/// What a text must be readable as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TextFormat {
    /// Anything.
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
    /// A length of time, such as `1h 30m` or `PT1H30M`.
    Duration,
}

/// A date, a time, or both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CivilKind {
    /// A date: `2026-11-21`.
    Date,
    /// A time of day: `14:30`.
    Time,
    /// A date and a time of day, in no time zone: `2026-11-21T14:30`.
    DateTime,
    /// A moment, in UTC: `2026-11-21T14:30:00Z`.
    Timestamp,
}

/// One of the values that a field offers.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// The value, as it is sent and stored.
    pub value: Value,
    /// What people read.
    pub label: String,
    /// A hint under it.
    pub help: Option<&'static str>,
}

impl Shape {
    /// True when a secret is somewhere in it.
    pub fn has_secret(&self) -> bool {
        self.any(&|shape| matches!(shape, Self::Secret(_)))
    }

    /// True when a file is somewhere in it.
    pub fn has_upload(&self) -> bool {
        self.any(&|shape| matches!(shape, Self::Upload { .. }))
    }

    /// The kind in a word or a few, without limits and offered values: `text`, `list of integer`,
    /// `(sku: text, count: integer)`.
    pub fn kind(&self) -> String {
        let word = match self {
            Self::Text(rules) => match rules.format {
                TextFormat::Plain => "text",
                TextFormat::Character => "character",
                TextFormat::Email => "e-mail address",
                TextFormat::Url => "URL",
                TextFormat::Uuid => "UUID",
                TextFormat::Duration => "duration",
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
            Self::Secret(_) => "secret",
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
        Shape::List { item: Box::new(item), min_len: Some(1), max_len: None }
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
            (text(TextFormat::Duration), "duration"),
            (number(true), "integer"),
            (number(false), "number"),
            (Shape::Checkbox, "yes or no"),
            (civil(CivilKind::Date), "date"),
            (civil(CivilKind::Time), "time"),
            (civil(CivilKind::DateTime), "date and time"),
            (civil(CivilKind::Timestamp), "moment"),
            (Shape::Choice { choices: vec![north], radio: true }, "choice"),
            (Shape::Secret(TextRules::default()), "secret"),
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
        /// A field whose default is nothing in particular.
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
