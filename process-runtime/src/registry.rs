//! The registry of all processes that were linked in: sorted, checked, and looked up by route.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::fmt;

use crate::parameter::{ParameterInfo, States};
use crate::process::{Process, Registration};

pub use crate::process::{Location, Policy};

/// The first segments of routes that the runtime reserves.
const RESERVED: [&str; 12] = [
    "runs",
    "events",
    "channels",
    "nodes",
    "assets",
    "metrics",
    "healthz",
    "readyz",
    "mcp",
    "tokens",
    "schedules",
    "openapi.json",
];

/// The processes to mount, sorted by route.
///
/// ```standalone_crate
/// use process_runtime::prelude::*;
/// use process_runtime::registry::Registry;
///
/// #[process(title = "Counting")]
/// async fn count_products() {}
///
/// let registry = Registry::collect()?;
/// assert_eq!(registry.get("count-products").map(|process| process.title), Some("Counting"));
/// # Ok::<(), process_runtime::registry::RegistryError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Registry {
    processes: BTreeMap<String, &'static Process>,
}

impl Registry {
    /// Collects every process that is linked into this program.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no process, if several processes claim one route, or if a process claims a
    /// route that the runtime reserves. The error lists all conflicts at once.
    pub fn collect() -> Result<Self, RegistryError> {
        Self::of(inventory::iter::<Registration>.into_iter().map(|registration| registration.0))
    }

    /// Creates a registry of only these processes.
    ///
    /// # Errors
    ///
    /// Returns the same errors as [`collect`](Self::collect).
    pub fn of(found: impl IntoIterator<Item = &'static Process>) -> Result<Self, RegistryError> {
        let mut by_route = BTreeMap::<String, Vec<&'static Process>>::new();
        for process in found {
            by_route.entry(process.route()).or_default().push(process);
        }
        if by_route.is_empty() {
            return Err(RegistryError::Empty);
        }
        let mut conflicts = Vec::new();
        let mut processes = BTreeMap::new();
        for (route, mut found) in by_route {
            found.sort_by_key(|process| process.location);
            let first = route.split('/').next().unwrap_or_default();
            if RESERVED.contains(&first) || found.len() > 1 {
                conflicts.push(Conflict { route, processes: found });
            } else if let Some(process) = found.pop() {
                processes.insert(route, process);
            }
        }
        if conflicts.is_empty() { Ok(Self { processes }) } else { Err(RegistryError::Conflicts(conflicts)) }
    }

    /// Returns the process at this route, or `None` if there is none.
    pub fn get(&self, route: &str) -> Option<&'static Process> {
        self.processes.get(route).copied()
    }

    /// Iterates over all processes, in the order of their routes.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &'static Process> + '_ {
        self.processes.values().copied()
    }

    /// The state types that processes take and `states` does not contain, each with the processes that take it.
    pub(crate) fn missing_states(&self, states: &States) -> Vec<MissingState> {
        let mut missing = Vec::<(TypeId, MissingState)>::new();
        for process in self.iter() {
            for parameter in (process.parameters)() {
                let ParameterInfo::State { id, type_name } = parameter else { continue };
                if states.contains(id) {
                    continue;
                }
                match missing.iter_mut().find(|(known, _)| *known == id) {
                    Some((_, state)) => state.processes.push(process),
                    None => {
                        let in_arc = states.contains_arc_of(type_name);
                        missing.push((id, MissingState { type_name, processes: vec![process], in_arc }));
                    }
                }
            }
        }
        missing.into_iter().map(|(_, state)| state).collect()
    }
}

/// The error of [`Registry::collect`] and [`Registry::of`]: the processes cannot be mounted.
#[derive(Clone)]
#[non_exhaustive]
pub enum RegistryError {
    /// There is no process.
    Empty,
    /// Several processes claim one route, or a process claims a route that the runtime reserves.
    Conflicts(Vec<Conflict>),
}

/// A route that cannot be mounted, with the processes that claim it: several processes, or one that claims a route of
/// the runtime.
#[derive(Debug, Clone)]
pub struct Conflict {
    route: String,
    processes: Vec<&'static Process>,
}

impl Conflict {
    /// Returns the route, without a leading slash.
    pub fn route(&self) -> &str {
        &self.route
    }

    /// Returns the processes that claim the route, in the order of their places in the source.
    pub fn processes(&self) -> &[&'static Process] {
        &self.processes
    }
}

/// A state type that processes take and that the builder does not have.
#[derive(Debug, Clone)]
pub struct MissingState {
    pub(crate) type_name: &'static str,
    pub(crate) processes: Vec<&'static Process>,
    /// The builder has an `Arc` of the type as a state.
    pub(crate) in_arc: bool,
}

impl MissingState {
    /// Returns the name of the type, as [`std::any::type_name`] writes it.
    pub fn type_name(&self) -> &'static str {
        self.type_name
    }

    /// Returns the processes that take the type.
    pub fn processes(&self) -> &[&'static Process] {
        &self.processes
    }

    /// Writes what to change if the value was given in an `Arc`.
    pub(crate) fn write_hint(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.in_arc {
            return Ok(());
        }
        let name = self.type_name.rsplit("::").next().unwrap_or(self.type_name);
        write!(
            f,
            "\n    state(…) was given an Arc<{name}>: pass it to state_arc(…), which takes the Arc itself"
        )
    }
}

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str(
                "no process was found: annotate an async fn with #[process(title = \"…\")]; if the processes \
                 are in a library, name it in the program (`use my_jobs as _;`), or the linker drops it",
            ),
            Self::Conflicts(conflicts) => {
                f.write_str("some routes are invalid:")?;
                for Conflict { route, processes } in conflicts {
                    let why = if processes.len() > 1 {
                        "is claimed by"
                    } else {
                        "is reserved by the runtime, but claimed by"
                    };
                    write!(f, "\n  /{route} {why}")?;
                    for process in processes {
                        write!(f, "\n    {} at {}", process.name, process.location)?;
                    }
                }
                f.write_str("\ngive them another `name`, `route` or `group` in #[process(…)]")
            }
        }
    }
}

impl std::error::Error for RegistryError {}

/// Prints the message itself, so that a `main` that returns this error shows it to people.
impl fmt::Debug for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for MissingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "State<{}>, used by", self.type_name)?;
        for process in &self.processes {
            write!(f, "\n    {} at {}", process.name, process.location)?;
        }
        self.write_hint(f)
    }
}
