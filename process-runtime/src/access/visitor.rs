//! One visitor: calls the `authorize` hook, at most once per request for each question.

use std::collections::HashMap;
use std::sync::Arc;

use http::request::Parts;
use parking_lot::Mutex;

use super::{AccessRequest, Action, Actor, Answer, Authorize, Denied, ShareGrant};
use crate::process::Process;
use crate::run::{Run, RunId};

/// Why a visitor does not have permission.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The item must look as if it did not exist.
    Hidden,
    /// The visitor may view the item, but not perform this action.
    NotAllowed(Action),
    /// The visitor must sign in first, at this address.
    SignIn(String),
    /// The hook panicked.
    Panicked,
    /// The hook timed out.
    Late,
}

impl Refused {
    /// True if the hook failed, rather than denied access.
    pub(crate) fn is_failure(&self) -> bool {
        matches!(self, Self::Panicked | Self::Late)
    }
}

/// The run and the process that a question concerns.
type Subject = (Option<RunId>, Option<usize>);

/// The sender of a request. Without an `authorize` hook, everything is allowed, and nothing is stored here.
#[derive(Debug, Clone)]
pub(crate) struct Visitor(Option<Arc<Known>>);

#[derive(Debug)]
struct Known {
    authorize: Authorize,
    parts: Arc<Parts>,
    /// The grants of the visitor's share links, which apply whatever the hook returns.
    shared: Vec<ShareGrant>,
    answers: Mutex<HashMap<(Subject, Action), Answer>>,
}

impl Visitor {
    /// Creates the visitor of a request. The head is read only if there is an `authorize` hook.
    pub(crate) fn new(
        authorize: Option<&Authorize>,
        head: impl FnOnce() -> (Parts, Vec<ShareGrant>),
    ) -> Self {
        Self(authorize.map(|authorize| {
            let (parts, shared) = head();
            Known::new(authorize.clone(), Arc::new(parts), shared)
        }))
    }

    /// The same visitor, without remembered answers.
    pub(crate) fn anew(&self) -> Self {
        let known = self.0.as_ref();
        Self(
            known.map(|known| {
                Known::new(known.authorize.clone(), Arc::clone(&known.parts), known.shared.clone())
            }),
        )
    }

    /// False if everyone may do everything.
    pub(crate) fn is_asked_about(&self) -> bool {
        self.0.is_some()
    }

    /// The head of the request, if there is an `authorize` hook.
    pub(crate) fn parts(&self) -> Option<&Parts> {
        self.0.as_ref().map(|known| &*known.parts)
    }

    /// Checks whether the visitor may do this with the process, or with this run of it. Every action requires
    /// permission to view.
    pub(crate) async fn may(
        &self,
        process: Option<&'static Process>,
        run: Option<&Run>,
        action: Action,
    ) -> Result<Actor, Refused> {
        let Some(known) = &self.0 else { return Ok(Actor::anonymous()) };
        // A share link permits viewing and downloading its run. For other actions the hook is called as usual.
        let shown = |run: &Run| known.shared.iter().any(|shared| shared.shows(run.id));
        if matches!(action, Action::View | Action::Download) && run.is_some_and(shown) {
            return Ok(Actor::anonymous());
        }
        match known.answer(process, run, Action::View).await {
            Answer::Yes(actor) if action == Action::View => return Ok(actor),
            Answer::Yes(_) => {}
            Answer::No(Denied(None)) => return Err(Refused::Hidden),
            other => return Err(refused(other, action)),
        }
        match known.answer(process, run, action).await {
            Answer::Yes(actor) => Ok(actor),
            other => Err(refused(other, action)),
        }
    }

    /// Checks whether the visitor may read the metrics.
    #[cfg(feature = "prometheus")]
    pub(crate) async fn may_operate(&self) -> Result<(), Refused> {
        let Some(known) = &self.0 else { return Ok(()) };
        match known.answer(None, None, Action::Operate).await {
            Answer::Yes(_) => Ok(()),
            Answer::No(Denied(None)) => Err(Refused::Hidden),
            other => Err(refused(other, Action::Operate)),
        }
    }

    /// The response for something that does not exist: the hook may require a sign-in even for that.
    pub(crate) async fn sees_nothing(&self) -> Refused {
        match &self.0 {
            None => Refused::Hidden,
            Some(known) => match known.answer(None, None, Action::View).await {
                Answer::Yes(_) | Answer::No(Denied(None)) => Refused::Hidden,
                other => refused(other, Action::View),
            },
        }
    }
}

fn refused(answer: Answer, action: Action) -> Refused {
    match answer {
        Answer::No(Denied(Some(address))) => Refused::SignIn(address),
        Answer::No(Denied(None)) | Answer::Yes(_) => Refused::NotAllowed(action),
        Answer::Panicked => Refused::Panicked,
        Answer::Late => Refused::Late,
    }
}

impl Known {
    fn new(authorize: Authorize, parts: Arc<Parts>, shared: Vec<ShareGrant>) -> Arc<Self> {
        Arc::new(Self { authorize, parts, shared, answers: Mutex::default() })
    }

    async fn answer(&self, process: Option<&'static Process>, run: Option<&Run>, action: Action) -> Answer {
        let about = (run.map(|run| run.id), process.map(|process| std::ptr::from_ref(process) as usize));
        if let Some(known) = self.answers.lock().get(&(about, action)) {
            return known.clone();
        }
        let run = run.map(|run| Arc::new(run.clone()));
        let request = AccessRequest { parts: Arc::clone(&self.parts), process, run, action };
        let answer = self.authorize.ask(request).await;
        self.answers.lock().insert((about, action), answer.clone());
        answer
    }
}
