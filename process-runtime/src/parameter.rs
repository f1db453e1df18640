//! Owns how a process's parameters get their values: form fields, state and the run's own handle.
//! Refuses to know who calls the process and where the values were typed in.

use std::any::{Any, TypeId, type_name};
use std::collections::HashMap;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::field::{Field, FieldKind};
use crate::progress::Progress;

/// A value the application shares with its processes, such as a database.
///
/// It is given once, when the router is built, and injected wherever a process takes `State<T>`.
///
/// ```
/// use process_runtime::prelude::*;
///
/// struct Catalog { products: Vec<String> }
///
/// #[process(title = "Counting products")]
/// async fn count_products(catalog: State<Catalog>) -> Result<usize, std::convert::Infallible> {
///     Ok(catalog.products.len())
/// }
///
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// // A process is a plain function too.
/// let catalog = State::new(Catalog { products: vec!["Lamp".into()] });
/// assert_eq!(count_products(catalog).await, Ok(1));
/// # });
/// ```
pub struct State<T>(Arc<T>);

impl<T> State<T> {
    /// Wraps a value, to call a process by hand.
    pub fn new(value: T) -> Self {
        Self(Arc::new(value))
    }

    /// The shared value itself.
    pub fn into_inner(self) -> Arc<T> {
        self.0
    }
}

impl<T> Clone for State<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Deref for State<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: fmt::Debug> fmt::Debug for State<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("State").field(&self.0).finish()
    }
}

/// Every state value of an application, by type.
#[derive(Clone, Default)]
pub struct States(HashMap<TypeId, Arc<dyn Any + Send + Sync>>);

impl States {
    /// Adds a value, or replaces the one of the same type.
    pub fn insert<T: Send + Sync + 'static>(&mut self, value: Arc<T>) {
        self.0.insert(TypeId::of::<T>(), value);
    }

    /// True when a value of this type was added.
    pub fn contains(&self, id: TypeId) -> bool {
        self.0.contains_key(&id)
    }

    fn get<T: Send + Sync + 'static>(&self) -> Option<State<T>> {
        Arc::clone(self.0.get(&TypeId::of::<T>())?).downcast().ok().map(State)
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "States({} values)", self.0.len())
    }
}

/// Everything a process is called with.
#[derive(Debug, Clone)]
pub struct Invocation {
    /// Where it reports.
    pub progress: Progress,
    /// What the application shares.
    pub states: States,
    /// The values of its fields, by name, as they were stored.
    pub input: Map<String, Value>,
}

/// Why one input was not accepted.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct InputError {
    /// The parameter's name.
    pub field: String,
    /// What is wrong and what would be right.
    pub message: String,
}

impl fmt::Display for InputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.message)
    }
}

/// A type that a process can take: a form field, or something the runtime injects.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parameter of a process",
    label = "neither a form field nor something the runtime gives",
    note = "take a form field (`bool`, a number, `String`, an `Option` of those, or your own `Field`), \
            shared state (`State<T>`, where `T: Send + Sync`) or the run's `Progress`"
)]
pub trait Parameter: Sized + Send {
    /// What `#[field(…)]` may say about it.
    type Options: Default;

    #[doc(hidden)]
    fn describe(name: &'static str, options: Self::Options) -> ParameterInfo;

    #[doc(hidden)]
    fn extract(name: &'static str, options: Self::Options, from: &Invocation) -> Result<Self, InputError>;
}

/// What `#[field(…)]` may say about a form field.
#[derive(Debug, Clone)]
pub struct FieldOptions<T> {
    /// The label; without one it is made from the parameter's name.
    pub label: Option<&'static str>,
    /// The hint under the input.
    pub help: Option<&'static str>,
    /// The value when nothing is given.
    pub default: Option<T>,
}

impl<T> Default for FieldOptions<T> {
    fn default() -> Self {
        Self { label: None, help: None, default: None }
    }
}

/// Injected parameters take no `#[field(…)]`.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoOptions {}

/// A parameter as the runtime sees it.
#[derive(Debug, Clone, PartialEq)]
pub enum ParameterInfo {
    /// A field of the form.
    Field(FieldInfo),
    /// A value the application must have been given.
    State {
        /// Identifies the type.
        id: TypeId,
        /// Its name, for messages.
        type_name: &'static str,
    },
    /// Something every run has.
    Injected,
}

/// A field of a process's form.
#[derive(Debug, Clone)]
pub struct FieldInfo {
    /// The parameter's name: the key in forms and JSON.
    pub name: &'static str,
    /// The label people see.
    pub label: String,
    /// The hint under the input.
    pub help: Option<&'static str>,
    /// Which input is shown.
    pub kind: FieldKind,
    /// The value when none is given; without one a value is required.
    pub default: Option<Value>,
    check: fn(&Value) -> Result<Value, String>,
}

impl PartialEq for FieldInfo {
    fn eq(&self, other: &Self) -> bool {
        (self.name, &self.label, self.help, self.kind, &self.default)
            == (other.name, &other.label, other.help, other.kind, &other.default)
    }
}

impl FieldInfo {
    /// Reads what was given for this field and writes it in its one stored form.
    ///
    /// # Errors
    ///
    /// When the value is missing or does not parse.
    pub fn check(&self, given: Option<&Value>) -> Result<Value, InputError> {
        let error = |message| InputError { field: self.name.to_owned(), message };
        match (given.filter(|value| !self.counts_as_absent(value)), &self.default) {
            (Some(value), _) => (self.check)(value).map_err(error),
            (None, Some(default)) => Ok(default.clone()),
            (None, None) => Err(error("a value is required".to_owned())),
        }
    }

    /// An input left empty counts as not given, except where the empty text is a value.
    fn counts_as_absent(&self, value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::String(text) => text.is_empty() && self.kind != FieldKind::Text,
            _ => false,
        }
    }
}

impl<T: Field> Parameter for T {
    type Options = FieldOptions<T>;

    fn describe(name: &'static str, options: FieldOptions<T>) -> ParameterInfo {
        ParameterInfo::Field(FieldInfo {
            name,
            label: options.label.map_or_else(|| label_of(name), str::to_owned),
            help: options.help,
            kind: T::kind(),
            default: options.default.or_else(T::absent).as_ref().map(T::render),
            check: |value| T::parse(value).map(|parsed| parsed.render()),
        })
    }

    fn extract(name: &'static str, options: FieldOptions<T>, from: &Invocation) -> Result<T, InputError> {
        let error = |message| InputError { field: name.to_owned(), message };
        match from.input.get(name) {
            None | Some(Value::Null) => {
                options.default.or_else(T::absent).ok_or_else(|| error("a value is required".to_owned()))
            }
            Some(value) => T::parse(value).map_err(error),
        }
    }
}

impl<T: Send + Sync + 'static> Parameter for State<T> {
    type Options = NoOptions;

    fn describe(_: &'static str, _: NoOptions) -> ParameterInfo {
        ParameterInfo::State { id: TypeId::of::<T>(), type_name: type_name::<T>() }
    }

    fn extract(name: &'static str, _: NoOptions, from: &Invocation) -> Result<Self, InputError> {
        from.states.get().ok_or_else(|| InputError {
            field: name.to_owned(),
            message: format!("no State<{}> was given to the builder", type_name::<T>()),
        })
    }
}

impl Parameter for Progress {
    type Options = NoOptions;

    fn describe(_: &'static str, _: NoOptions) -> ParameterInfo {
        ParameterInfo::Injected
    }

    fn extract(_: &'static str, _: NoOptions, from: &Invocation) -> Result<Self, InputError> {
        Ok(from.progress.clone())
    }
}

/// `price_in_euro` → `Price in euro`.
fn label_of(name: &str) -> String {
    let words = name.trim_start_matches("r#").replace('_', " ");
    let mut letters = words.trim().chars();
    letters
        .next()
        .map(|first| first.to_uppercase().collect::<String>() + letters.as_str())
        .unwrap_or_default()
}
