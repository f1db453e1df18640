//! Authorization: what the application's `authorize` hook is asked about a visitor, and what it can answer.

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

/// How long an application may take to say who may.
const PATIENCE: Duration = Duration::from_secs(10);

/// What somebody wants to do with a process or a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// See it: its page, its entry in a list, its stream, its log as a page, its schema.
    View,
    /// Start a run of the process, or one in the place of a run that has ended.
    Start,
    /// Cancel, pause, resume or retry the run.
    Control,
    /// Save what the run made: its result, its files, its whole log.
    Download,
    /// Read the figures of the whole program, at `/metrics`: it is about no process and no run.
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

/// Who does something, as the application knows them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor(Option<String>);

impl Actor {
    /// Somebody with a name, which is stored with the runs they start and shown on their pages.
    pub fn named(name: impl Into<String>) -> Self {
        Self(Some(name.into()))
    }

    /// Somebody whose name is not known, or not to be stored.
    pub fn anonymous() -> Self {
        Self(None)
    }

    /// The name, if there is one.
    pub fn name(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

/// How the application says no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied(Option<String>);

impl Denied {
    /// What may not be seen is answered as though it were not there; what may be seen, but not done, with 403.
    pub fn not_found() -> Self {
        Self(None)
    }

    /// Somebody has to sign in first, at this address: a browser is led there, with the address it wanted in
    /// `next`, and a program gets 401.
    ///
    /// The page at that address leads back to `next` only where it begins with one slash, and not with two, and has no
    /// backslash, which browsers take for a slash: anybody can write a link with another one.
    pub fn sign_in(address: impl Into<String>) -> Self {
        Self(Some(address.into()))
    }
}

/// What the application is asked: may whoever sent this request do this?
#[derive(Debug, Clone)]
pub struct AccessRequest {
    parts: Arc<Parts>,
    process: Option<&'static Process>,
    run: Option<Arc<Run>>,
    action: Action,
}

impl AccessRequest {
    /// The head of the request: its headers, its whole URI, and in its extensions what the application's own layers
    /// put there, such as the user of a session.
    pub fn parts(&self) -> &Parts {
        &self.parts
    }

    /// The process it is about. `None` for a stored run whose process the program no longer has, and for an address
    /// of which nothing is known.
    pub fn process(&self) -> Option<&'static Process> {
        self.process
    }

    /// The route of the process, such as `admin/backup-system`, also where the program no longer has it. `None` for an
    /// address of which nothing is known: whatever is said of it, it is not there; who says that somebody has to sign
    /// in first tells strangers less.
    pub fn route(&self) -> Option<String> {
        let of_process = || self.process.map(Process::route);
        self.run.as_ref().map(|run| run.process.clone()).or_else(of_process)
    }

    /// What is to be done.
    pub fn action(&self) -> Action {
        self.action
    }

    /// The run it is about, as it is now; `None` when it is about the process.
    pub fn run(&self) -> Option<&Run> {
        self.run.as_deref()
    }
}

type Hook = dyn Fn(AccessRequest) -> BoxFuture<'static, Result<Actor, Denied>> + Send + Sync;

/// The application's own word on who may.
#[derive(Clone)]
pub(crate) struct Authorize(Arc<Hook>);

impl Authorize {
    pub(crate) fn new<F>(hook: impl Fn(AccessRequest) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Actor, Denied>> + Send + 'static,
    {
        Self(Arc::new(move |request| Box::pin(hook(request))))
    }

    /// Whatever goes wrong in it shows nothing to anybody.
    async fn ask(&self, request: AccessRequest) -> Answer {
        let (action, route) = (request.action, request.route().unwrap_or_default());
        let hook = Arc::clone(&self.0);
        // Not only what it gives may panic, but the call as well.
        let asked = AssertUnwindSafe(async move { hook(request).await }).catch_unwind();
        match timeout(PATIENCE, asked).await {
            Ok(Ok(Ok(actor))) => Answer::Yes(actor),
            Ok(Ok(Err(denied))) => Answer::No(denied),
            Ok(Err(_)) => {
                tracing::error!(
                    "`authorize` panicked when it was asked for {action:?} of {route:?}: nothing is shown"
                );
                Answer::Panicked
            }
            Err(_) => {
                tracing::error!(
                    "`authorize` has not said in {PATIENCE:?} who may {action:?} {route:?}: nothing is shown"
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

/// What came of asking.
#[derive(Debug, Clone)]
enum Answer {
    Yes(Actor),
    No(Denied),
    Panicked,
    Late,
}
