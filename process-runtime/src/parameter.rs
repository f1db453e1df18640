//! The parameters of a process and where their values come from: form fields, application state, and the run's own
//! handles.
//!
//! To declare and start processes you need only [`State`]. The rest is used by the code that `#[process]` generates and
//! by tools that read a declaration:
//!
//! | item | for |
//! |---|---|
//! | [`Parameter`] | the generated code. It is implemented for every [`Field`], for [`State`], [`Progress`] and [`Cursor`](crate::Cursor); to make a type a parameter, implement `Field` |
//! | [`Invocation`], [`States`] | code that calls the `entry` of a [`Process`](crate::Process) itself instead of starting a run |
//! | [`ParameterInfo`] | tools that list the parameters of a [`Process`](crate::Process) |
//! | [`NoOptions`] | the generated code: the options of parameters that take no `#[field(…)]` keys |

use std::any::{Any, TypeId, type_name};
use std::collections::HashMap;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::field::{Field, FieldErrors, FieldInfo};
use crate::progress::Progress;
use crate::run::SavedCursor;

/// A value that the application shares with its processes, such as a database.
///
/// You supply it once, when you build the router. Every process that takes `State<T>` receives it.
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
///
/// # Locks in the state
///
/// If a run is cancelled or exceeds its timeout, the runtime unwinds it at its next helper call. A guard of a
/// [`std::sync::Mutex`] or `RwLock` that the run holds at that moment poisons the lock, and every later run panics at
/// `lock().unwrap()`. To avoid this, drop guards before you call helpers, use a lock without poisoning, or lock with
/// `lock().unwrap_or_else(PoisonError::into_inner)`:
///
/// ```
/// use std::sync::{Mutex, PoisonError};
///
/// use process_runtime::prelude::*;
///
/// #[process(title = "Filling the basket")]
/// async fn fill_the_basket(basket: State<Mutex<Vec<u64>>>) {
///     for product in 1..=100 {
///         // The guard is gone at the end of this line, before the helper is called.
///         basket.lock().unwrap_or_else(PoisonError::into_inner).push(product);
///         set_progress_of(product, 100);
///     }
/// }
/// ```
pub struct State<T>(Arc<T>);

impl<T> State<T> {
    /// Wraps a value, for calling a process yourself.
    pub fn new(value: T) -> Self {
        Self(Arc::new(value))
    }

    /// Returns the shared value.
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

/// All state values of an application, by type.
#[derive(Clone, Default)]
pub struct States(HashMap<TypeId, Stored>);

/// A value, and the name of its type.
type Stored = (Arc<dyn Any + Send + Sync>, &'static str);

impl States {
    /// Adds a value, or replaces the value of the same type.
    pub fn insert<T: Send + Sync + 'static>(&mut self, value: Arc<T>) {
        self.0.insert(TypeId::of::<T>(), (value, std::any::type_name::<T>()));
    }

    /// Returns true if there is a value of this type.
    pub fn contains(&self, id: TypeId) -> bool {
        self.0.contains_key(&id)
    }

    fn get<T: Send + Sync + 'static>(&self) -> Option<State<T>> {
        Arc::clone(&self.0.get(&TypeId::of::<T>())?.0).downcast().ok().map(State)
    }

    /// Returns true if there is an `Arc` of the type with this name instead.
    pub(crate) fn contains_arc_of(&self, type_name: &str) -> bool {
        let wrapped = format!("alloc::sync::Arc<{type_name}>");
        self.0.values().any(|(_, name)| *name == wrapped)
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "States({} values)", self.0.len())
    }
}

/// Everything that the runtime passes to a process.
#[derive(Clone)]
pub struct Invocation {
    /// The handle through which the run reports.
    pub progress: Progress,
    /// The state values of the application.
    pub states: States,
    /// The values of the fields, by name: as stored, but including secrets.
    pub input: Map<String, Value>,
    /// The cursor from which the run resumes, if an earlier attempt saved one.
    pub cursor: Option<SavedCursor>,
}

/// Omits the values, since they may contain secrets.
impl fmt::Debug for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields: Vec<_> = self.input.keys().collect();
        f.debug_struct("Invocation").field("progress", &self.progress).field("fields", &fields).finish()
    }
}

/// A type that a process can take as a parameter: a form field, or a value that the runtime injects.
///
/// `#[process]` calls the methods of this trait with a marker of the type, rather than functions with a bound on the
/// trait, so that the compiler error for an unsuitable type mentions that type only.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a form field",
    label = "cannot be a parameter of a process",
    note = "a field is a number, `bool`, `char`, `String`, `Email`, `Url`, `Uuid`, a date or time of jiff, a `Duration`, \
            an `Upload`, or an `Option`, `Vec` or `Secret` of one",
    note = "for an enum or a struct of your own, use `#[derive(Field)]`; a struct also replaces a tuple or a map",
    note = "for a type of another crate, take a `String` and parse it, or implement `Field` for a struct that holds one",
    note = "for a value that the application shares, use `State<{Self}>`"
)]
pub trait Parameter: Sized + 'static {
    /// The options that `#[field(…)]` can set on the parameter.
    type Options: Default;

    #[doc(hidden)]
    fn describe(
        _: PhantomData<Self>,
        name: &'static str,
        set: fn(Self::Options) -> Self::Options,
    ) -> ParameterInfo;

    #[doc(hidden)]
    fn extract(
        name: &'static str,
        set: fn(Self::Options) -> Self::Options,
        from: &Invocation,
    ) -> Result<Self, FieldErrors>;

    /// Extracts the value, or adds its errors.
    #[doc(hidden)]
    fn collect(
        _: PhantomData<Self>,
        name: &'static str,
        set: fn(Self::Options) -> Self::Options,
        from: &Invocation,
        errors: &mut FieldErrors,
    ) -> Option<Self> {
        Self::extract(name, set, from).map_err(|wrong| errors.extend(wrong)).ok()
    }

    /// Writes the given value into the input of a start.
    #[doc(hidden)]
    fn give(self, _name: &'static str, _input: &mut Map<String, Value>) {}
}

/// The types written as `State<…>` or `Cursor<…>`. No other type implements this trait, so the compiler error for an
/// unsuitable `T` mentions that `T`, and does not suggest that `State<T>` should be a field.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is neither the `State<T>` nor the `Cursor<T>` of process-runtime",
    label = "cannot be a parameter of a process",
    note = "write `process_runtime::State<T>` or `process_runtime::Cursor<T>`"
)]
pub trait Injected: Sized {
    fn describe(_: PhantomData<Self>, name: &'static str, set: fn(NoOptions) -> NoOptions) -> ParameterInfo;

    fn collect(
        _: PhantomData<Self>,
        name: &'static str,
        set: fn(NoOptions) -> NoOptions,
        from: &Invocation,
        errors: &mut FieldErrors,
    ) -> Option<Self>;
}

impl<T: Send + Sync + 'static> Injected for State<T> {
    fn describe(
        marker: PhantomData<Self>,
        name: &'static str,
        set: fn(NoOptions) -> NoOptions,
    ) -> ParameterInfo {
        Parameter::describe(marker, name, set)
    }

    fn collect(
        marker: PhantomData<Self>,
        name: &'static str,
        set: fn(NoOptions) -> NoOptions,
        from: &Invocation,
        errors: &mut FieldErrors,
    ) -> Option<Self> {
        Parameter::collect(marker, name, set, from, errors)
    }
}

/// The options of injected parameters, which take no `#[field(…)]`.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoOptions {}

/// The description of a parameter.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ParameterInfo {
    /// A field of the form.
    Field(Box<FieldInfo>),
    /// A value that the application must supply.
    State {
        /// The id of the type.
        id: TypeId,
        /// The name of the type, for messages.
        type_name: &'static str,
    },
    /// The position from which the run resumes. A process with a cursor is called again after a crash.
    Cursor {
        /// The name of the cursor's type, for messages. It is not stored.
        type_name: &'static str,
        /// Checks whether the run can resume from a stored value; the error is the reason why not.
        fits: fn(&Value) -> Result<(), String>,
    },
    /// A value that the runtime creates for every run.
    Injected,
}

#[diagnostic::do_not_recommend]
impl<T: Field> Parameter for T {
    type Options = T::Options;

    fn describe(
        _: PhantomData<Self>,
        name: &'static str,
        set: fn(Self::Options) -> Self::Options,
    ) -> ParameterInfo {
        ParameterInfo::Field(Box::new(FieldInfo::new::<T>(name, set)))
    }

    fn extract(
        name: &'static str,
        set: fn(Self::Options) -> Self::Options,
        from: &Invocation,
    ) -> Result<T, FieldErrors> {
        FieldInfo::take::<T>(name, set, from.input.get(name))
    }

    fn give(self, name: &'static str, input: &mut Map<String, Value>) {
        input.insert(name.to_owned(), self.reveal());
    }
}

#[diagnostic::do_not_recommend]
impl<T: Send + Sync + 'static> Parameter for State<T> {
    type Options = NoOptions;

    fn describe(_: PhantomData<Self>, _: &'static str, _: fn(NoOptions) -> NoOptions) -> ParameterInfo {
        ParameterInfo::State { id: TypeId::of::<T>(), type_name: type_name::<T>() }
    }

    fn extract(
        name: &'static str,
        _: fn(NoOptions) -> NoOptions,
        from: &Invocation,
    ) -> Result<Self, FieldErrors> {
        let missing = || {
            let message = format!("the builder has no State<{}>", type_name::<T>());
            FieldErrors::at(name, message)
        };
        from.states.get().ok_or_else(missing)
    }
}

#[diagnostic::do_not_recommend]
impl Parameter for Progress {
    type Options = NoOptions;

    fn describe(_: PhantomData<Self>, _: &'static str, _: fn(NoOptions) -> NoOptions) -> ParameterInfo {
        ParameterInfo::Injected
    }

    fn extract(
        _: &'static str,
        _: fn(NoOptions) -> NoOptions,
        from: &Invocation,
    ) -> Result<Self, FieldErrors> {
        Ok(from.progress.clone())
    }
}
