//! How a process's parameters get their values: form fields, state and the run's own handle.

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
///
/// # Locks in it
///
/// A run that is cancelled, or takes too long, is unwound at its next helper call. The guard of a [`std::sync::Mutex`]
/// or `RwLock` that it holds at that moment poisons the lock, and every later run panics at `lock().unwrap()`. Drop
/// guards before helpers are called, take a lock without poison, or unlock by
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
#[derive(Clone)]
pub struct Invocation {
    /// Where it reports.
    pub progress: Progress,
    /// What the application shares.
    pub states: States,
    /// The values of its fields, by name: as they were stored, but with the secrets in them.
    pub input: Map<String, Value>,
    /// Where it goes on, if an earlier attempt of it saved a cursor.
    pub cursor: Option<SavedCursor>,
}

/// Without the values: a secret may be among them.
impl fmt::Debug for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields: Vec<_> = self.input.keys().collect();
        f.debug_struct("Invocation").field("progress", &self.progress).field("fields", &fields).finish()
    }
}

/// A type that a process can take: a form field, or something the runtime injects.
///
/// `#[process]` calls its methods with a marker of the type, and not functions of its own that ask for the
/// trait: so what the compiler says of a type that is none is about the type alone.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a form field",
    label = "cannot be a parameter of a process",
    note = "derive it: `#[derive(Field)]` makes fields of enums and structs; what the application shares \
            is taken as `State<{Self}>`"
)]
pub trait Parameter: Sized + 'static {
    /// What `#[field(…)]` may say about it.
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

    /// Extracts it, or adds what is wrong with it.
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

    /// Writes what was given for it into the input of a start.
    #[doc(hidden)]
    fn give(self, _name: &'static str, _input: &mut Map<String, Value>) {}
}

/// What is written `State<…>` or `Cursor<…>` as a parameter. Nothing else implements it, so what the compiler
/// says of a `T` that cannot be in one is about that `T`, and not that `State<T>` might have been a field.
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

/// Injected parameters take no `#[field(…)]`.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoOptions {}

/// A parameter as the runtime sees it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ParameterInfo {
    /// A field of the form.
    Field(Box<FieldInfo>),
    /// A value the application must have been given.
    State {
        /// Identifies the type.
        id: TypeId,
        /// Its name, for messages.
        type_name: &'static str,
    },
    /// Where the run goes on: with one of these, it is called again after a crash.
    Cursor {
        /// The name of the cursor's type, for messages. It is stored nowhere.
        type_name: &'static str,
        /// Whether a value that was stored can be gone on from, or why not.
        fits: fn(&Value) -> Result<(), String>,
    },
    /// Something every run has.
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
            let message = format!("no State<{}> was given to the builder", type_name::<T>());
            FieldErrors::at(name, message)
        };
        from.states.get().ok_or_else(missing)
    }
}

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
