//! Authorization: what the application's `authorize` hook receives for a request, and what it can answer.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use http::request::Parts;
use tokio::time::timeout;

use crate::process::{BoxFuture, Process};
use crate::run::Run;

mod share;
mod visitor;

pub(crate) use share::{LEAST, ShareGrant, Signer, kept_secret};
pub(crate) use visitor::{Refused, Visitor};

/// The timeout of the `authorize` hook.
const PATIENCE: Duration = Duration::from_secs(10);

/// An action on a process or a run that requires permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// View it: its page, its entry in a list, its stream, its log as a page, its schema.
    View,
    /// Start a run of the process, or retry an ended run.
    Start,
    /// Cancel, pause, resume or retry the run.
    Control,
    /// Download what the run produced: its result, its files, its whole log.
    Download,
    /// Read the metrics of the whole program, at `/metrics`. This action concerns no process and no run.
    Operate,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::View => "view",
            Self::Start => "start",
            Self::Control => "control",
            Self::Download => "download",
            Self::Operate => "operate",
        })
    }
}

/// The person or program that sends a request, as your application identifies them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor(Option<String>);

impl Actor {
    /// An actor with a name. The runtime stores the name with the runs that the actor starts and shows it on their
    /// pages.
    pub fn named(name: impl Into<String>) -> Self {
        Self(Some(name.into()))
    }

    /// An actor whose name is unknown or must not be stored.
    pub fn anonymous() -> Self {
        Self(None)
    }

    /// Returns the name, if the actor has one.
    pub fn name(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

/// The answer of the `authorize` hook that denies an action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied(Option<String>);

impl Denied {
    /// Denies the action. If the action is viewing, the response is the same as for an item that does not exist. If
    /// the visitor may view the item but not perform the action, the response is 403.
    pub fn not_found() -> Self {
        Self(None)
    }

    /// Requires the visitor to sign in first, at this address. A browser is redirected there, with the requested
    /// address in the query parameter `next`. A program receives 401.
    ///
    /// Your sign-in page must redirect back to `next` only if it begins with exactly one slash and contains no
    /// backslash, which browsers treat as a slash. Otherwise anyone can create a link to your sign-in page that
    /// leads to another site. Use [`local_redirect`](crate::local_redirect) for this check.
    pub fn sign_in(address: impl Into<String>) -> Self {
        Self(Some(address.into()))
    }
}

/// An authorization question for the `authorize` hook: may the sender of this request perform this action?
#[derive(Debug, Clone)]
pub struct AccessRequest {
    parts: Arc<Parts>,
    process: Option<&'static Process>,
    run: Option<Arc<Run>>,
    action: Action,
}

impl AccessRequest {
    /// Returns the head of the request: its headers, its whole URI, and its extensions, which contain what your own
    /// layers have added, such as the user of a session.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// Returns the process that the request concerns. Returns `None` for a stored run whose process the program no
    /// longer contains, and for an unknown address.
    pub fn process(&self) -> Option<&'static Process> {
        self.process
    }

    /// Returns the route of the process, such as `admin/backup-system`, even if the program no longer contains the
    /// process. Returns `None` for an unknown address. Such an address is answered as not found whatever the hook
    /// returns, except that [`Denied::sign_in`] asks for a sign-in first, which reveals less to strangers.
    pub fn route(&self) -> Option<String> {
        let of_process = || self.process.map(Process::route);
        self.run.as_ref().map(|run| run.process.clone()).or_else(of_process)
    }

    /// Returns the requested action.
    pub fn action(&self) -> Action {
        self.action
    }

    /// Returns the run that the request concerns, in its current state. Returns `None` if the request concerns the
    /// process.
    pub fn run(&self) -> Option<&Run> {
        self.run.as_deref()
    }
}

type Hook = dyn Fn(AccessRequest) -> BoxFuture<'static, Result<Actor, Denied>> + Send + Sync;

/// The application's `authorize` hook.
#[derive(Clone)]
pub(crate) struct Authorize(Arc<Hook>);

impl Authorize {
    pub(crate) fn new<F>(hook: impl Fn(AccessRequest) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Actor, Denied>> + Send + 'static,
    {
        Self(Arc::new(move |request| Box::pin(hook(request))))
    }

    /// If the hook panics or times out, access is denied.
    async fn ask(&self, request: AccessRequest) -> Answer {
        let (action, route) = (request.action, request.route().unwrap_or_default());
        let hook = Arc::clone(&self.0);
        // The call itself may panic, not only the future that it returns.
        let asked = AssertUnwindSafe(async move { hook(request).await }).catch_unwind();
        match timeout(PATIENCE, asked).await {
            Ok(Ok(Ok(actor))) => Answer::Yes(actor),
            Ok(Ok(Err(denied))) => Answer::No(denied),
            Ok(Err(_)) => {
                tracing::error!("`authorize` panicked for {action:?} {route:?}: access is denied");
                Answer::Panicked
            }
            Err(_) => {
                tracing::error!(
                    "`authorize` did not return within {PATIENCE:?} for {action:?} {route:?}: access is denied"
                );
                Answer::Late
            }
        }
    }
}

impl fmt::Debug for Authorize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authorize")
    }
}

/// The outcome of a call of the hook.
#[derive(Debug, Clone)]
enum Answer {
    Yes(Actor),
    No(Denied),
    Panicked,
    Late,
}
