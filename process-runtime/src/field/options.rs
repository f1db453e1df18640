//! What `#[field(…)]` may say about each kind of field: one struct a kind, one member a key.

use serde_json::Value;

use super::Field;

/// What the keys of `#[field(…)]` are read into.
pub trait FieldOptions: Default {
    /// Takes what every field has: label, hint and default.
    fn about(&mut self) -> FieldMeta;
}

/// What every field has.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FieldMeta {
    /// The label; without one it is made from the parameter's name.
    pub label: Option<&'static str>,
    /// The hint under the input.
    pub help: Option<&'static str>,
    /// The value when nothing is given.
    pub default: Option<Value>,
}

macro_rules! options {
    ($(#[$doc:meta])* $name:ident { $($(#[$key_doc:meta])* $key:ident: $ty:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name<T> {
            // What is this kind's own comes first: of a key that is not there, rustc says the first five
            // that are.
            $($(#[$key_doc])* pub $key: Option<$ty>,)*
            /// The value when nothing is given.
            pub default: Option<T>,
            /// The hint under the input.
            pub help: Option<&'static str>,
            /// The label; without one it is made from the parameter's name.
            pub label: Option<&'static str>,
        }

        // Not derived: that would ask for `T: Default`.
        impl<T> Default for $name<T> {
            fn default() -> Self {
                Self { label: None, help: None, default: None, $($key: None,)* }
            }
        }
    };
}

macro_rules! own_default {
    ($($name:ident),*) => {$(
        impl<T: Field> FieldOptions for $name<T> {
            fn about(&mut self) -> FieldMeta {
                let default = self.default.take().as_ref().map(Field::render);
                FieldMeta { label: self.label, help: self.help, default }
            }
        }
    )*};
}

options! {
    /// The keys of a field that has no rules: a checkbox, a group, or a kind of your own.
    PlainOptions {}
}

options! {
    /// The keys of a text.
    TextOptions {
        /// The fewest characters.
        min_len: usize,
        /// The most characters.
        max_len: usize,
        /// A regular expression that the whole text must match, in the syntax that Rust's `regex-lite`
        /// and HTML share.
        pattern: &'static str,
        /// What the empty input shows.
        placeholder: &'static str,
        /// The only values that are accepted.
        choices: Vec<T>,
        /// True when all choices are shown at once, with a button each.
        radio: bool,
        /// True for an input of several lines.
        multiline: bool,
    }
}

options! {
    /// The keys of a number.
    NumberOptions {
        /// The least that is accepted.
        min: T,
        /// The most that is accepted.
        max: T,
        /// The distance between two values, counted from `min`, or else from 0.
        step: T,
        /// What the empty input shows.
        placeholder: &'static str,
        /// The only values that are accepted.
        choices: Vec<T>,
        /// True when all choices are shown at once, with a button each.
        radio: bool,
    }
}

options! {
    /// The keys of a date, a time or a length of time.
    CivilOptions {
        /// The earliest, or shortest, that is accepted.
        min: T,
        /// The latest, or longest, that is accepted.
        max: T,
        /// What the empty input shows, where it is one for text.
        placeholder: &'static str,
    }
}

options! {
    /// The keys of an enum.
    ChoiceOptions {
        /// True when all choices are shown at once, with a button each.
        radio: bool,
    }
}

own_default!(PlainOptions, TextOptions, NumberOptions, CivilOptions, ChoiceOptions);

options! {
    /// The keys of a list.
    ListOptions {
        /// How many entries there must be.
        min_len: usize,
        /// How many entries there may be.
        max_len: usize,
        /// What each empty input shows.
        placeholder: &'static str,
        /// The only entries that are accepted: each gets a box to tick.
        choices: T,
    }
}

impl<T: Field> FieldOptions for ListOptions<Vec<T>> {
    fn about(&mut self) -> FieldMeta {
        let default = self.default.take().as_ref().map(Field::render);
        FieldMeta { label: self.label, help: self.help, default }
    }
}

/// The keys of a secret. It has no default: that would stand in the source.
#[derive(Debug, Clone, Default)]
pub struct SecretOptions {
    /// The label; without one it is made from the parameter's name.
    pub label: Option<&'static str>,
    /// The hint under the input.
    pub help: Option<&'static str>,
    /// The fewest characters.
    pub min_len: Option<usize>,
    /// The most characters.
    pub max_len: Option<usize>,
    /// What the empty input shows.
    pub placeholder: Option<&'static str>,
}

impl FieldOptions for SecretOptions {
    fn about(&mut self) -> FieldMeta {
        FieldMeta { label: self.label, help: self.help, default: None }
    }
}

/// The keys of a file.
#[derive(Debug, Clone, Default)]
pub struct UploadOptions {
    /// The label; without one it is made from the parameter's name.
    pub label: Option<&'static str>,
    /// The hint under the input.
    pub help: Option<&'static str>,
    /// Which files a browser offers, as in `accept` of HTML: `".csv,text/csv"`. Names that end otherwise
    /// are refused.
    pub accept: Option<&'static str>,
    /// The largest file that is accepted, in bytes.
    pub max_size: Option<u64>,
}

impl FieldOptions for UploadOptions {
    fn about(&mut self) -> FieldMeta {
        FieldMeta { label: self.label, help: self.help, default: None }
    }
}

/// What can be written as a text in quotes, as the value of a key in `#[field(…)]`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a text in quotes is no `{Self}`",
    label = "write a value of `{Self}`, without quotes"
)]
pub trait FromText {
    /// Makes a value of the text.
    fn from_text(text: &'static str) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: From<&'static str>> FromText for T {
    fn from_text(text: &'static str) -> Self {
        text.into()
    }
}
