//! The options of `#[field(…)]` for each kind of field: one struct for each kind, one member for each key.

use serde_json::Value;

use super::Field;

/// The struct that receives the keys of `#[field(…)]`.
pub trait FieldOptions: Default {
    /// Takes the options that every field has: label, hint and default.
    fn about(&mut self) -> FieldMeta;
}

/// The options that every field has.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FieldMeta {
    /// The label. Default: made from the parameter's name.
    pub label: Option<&'static str>,
    /// The hint under the input.
    pub help: Option<&'static str>,
    /// The value to use if the input is missing or empty.
    pub default: Option<Value>,
}

macro_rules! options {
    ($(#[$doc:meta])* $name:ident { $($(#[$key_doc:meta])* $key:ident: $ty:ty,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name<T> {
            // The kind's own keys come first: for an unknown key, rustc lists the first five fields.
            $($(#[$key_doc])* pub $key: Option<$ty>,)*
            /// The value to use if the input is missing or empty.
            pub default: Option<T>,
            /// The hint under the input.
            pub help: Option<&'static str>,
            /// The label. Default: made from the parameter's name.
            pub label: Option<&'static str>,
        }

        // Not derived, since that would require `T: Default`.
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
    /// The options of a field without rules: a checkbox, a group, or a field type of your own.
    PlainOptions {}
}

options! {
    /// The options of a text.
    TextOptions {
        /// The minimum number of characters.
        min_len: usize,
        /// The maximum number of characters.
        max_len: usize,
        /// A regular expression that the whole text must match, in the syntax that Rust's `regex-lite` and HTML
        /// share.
        pattern: &'static str,
        /// What to enter, for those whose text does not match `pattern`: `Enter three capital letters`. Default: a
        /// sentence that does not say more.
        pattern_message: &'static str,
        /// The text that the empty input shows.
        placeholder: &'static str,
        /// The only accepted values.
        choices: Vec<T>,
        /// Shows all choices at once, as radio buttons.
        radio: bool,
        /// Gives the input several lines.
        multiline: bool,
    }
}

options! {
    /// The options of a number.
    NumberOptions {
        /// The smallest accepted value.
        min: T,
        /// The largest accepted value.
        max: T,
        /// The distance between two accepted values, counted from `min`, or from 0 without `min`.
        step: T,
        /// The text that the empty input shows.
        placeholder: &'static str,
        /// The only accepted values.
        choices: Vec<T>,
        /// Shows all choices at once, as radio buttons.
        radio: bool,
    }
}

options! {
    /// The options of a date, a time or a duration.
    CivilOptions {
        /// The earliest accepted value, or the shortest duration.
        min: T,
        /// The latest accepted value, or the longest duration.
        max: T,
        /// The text that the empty input shows, if it is a text input.
        placeholder: &'static str,
    }
}

options! {
    /// The options of an enum.
    ChoiceOptions {
        /// Shows all choices at once, as radio buttons.
        radio: bool,
    }
}

own_default!(PlainOptions, TextOptions, NumberOptions, CivilOptions, ChoiceOptions);

options! {
    /// The options of a list.
    ListOptions {
        /// The minimum number of entries.
        min_len: usize,
        /// The maximum number of entries.
        max_len: usize,
        /// The text that each empty input shows.
        placeholder: &'static str,
        /// The only accepted entries. Each one gets a checkbox.
        choices: T,
    }
}

impl<T: Field> FieldOptions for ListOptions<Vec<T>> {
    fn about(&mut self) -> FieldMeta {
        let default = self.default.take().as_ref().map(Field::render);
        FieldMeta { label: self.label, help: self.help, default }
    }
}

/// The options of a secret. A secret has no default, since the default would be in the source code.
#[derive(Debug, Clone, Default)]
pub struct SecretOptions {
    /// The label. Default: made from the parameter's name.
    pub label: Option<&'static str>,
    /// The hint under the input.
    pub help: Option<&'static str>,
    /// The minimum number of characters.
    pub min_len: Option<usize>,
    /// The maximum number of characters.
    pub max_len: Option<usize>,
    /// The text that the empty input shows.
    pub placeholder: Option<&'static str>,
}

impl FieldOptions for SecretOptions {
    fn about(&mut self) -> FieldMeta {
        FieldMeta { label: self.label, help: self.help, default: None }
    }
}

/// The options of a file.
#[derive(Debug, Clone, Default)]
pub struct UploadOptions {
    /// The label. Default: made from the parameter's name.
    pub label: Option<&'static str>,
    /// The hint under the input.
    pub help: Option<&'static str>,
    /// The accepted files, in the syntax of HTML's `accept`: `".csv,text/csv"`. The server rejects a file that
    /// matches none of the entries.
    pub accept: Option<&'static str>,
    /// The maximum size of the file, in bytes. Default: 100 MiB.
    pub max_size: Option<u64>,
}

impl FieldOptions for UploadOptions {
    fn about(&mut self) -> FieldMeta {
        FieldMeta { label: self.label, help: self.help, default: None }
    }
}

/// A type whose values can be written as a quoted string in `#[field(…)]`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a string literal is not a `{Self}`",
    label = "write a value of `{Self}`, without quotes"
)]
pub trait FromText {
    /// Creates a value from the text.
    fn from_text(text: &'static str) -> Self;
}

#[diagnostic::do_not_recommend]
impl<T: From<&'static str>> FromText for T {
    fn from_text(text: &'static str) -> Self {
        text.into()
    }
}
