//! Checks permissions before a handler shows or does anything, and answers visitors who lack them.

use std::sync::Arc;
use std::time::Duration;

use axum::http::header::{LOCATION, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::access::{Action, Actor, Refused};
use crate::feed::Feed;
use crate::process::Process;
use crate::processes::AccessGrant;
use crate::redirect::local_redirect;
use crate::run::{Run, RunId};
use crate::store::{RunCounts, RunFilter, RunPosition, RunSlice, StoreError};
use crate::text::OneLine;
use crate::texts::Message;
use crate::throttle::Throttle;
use crate::viewers::Ticket;
use crate::web::request::context::Context;
use crate::web::request::origin::Foreign;
use crate::web::request::problem::{Problem, excerpt};
use crate::web::request::rights::Rights;

static OTHER_SITE: Throttle = Throttle::every(Duration::from_secs(10));

/// How many runs are read to fill one page of a list, if the visitor has no permission to view most of them.
const LOOKED_AT: usize = 10_000;
/// How many of them are read at a time.
const AT_ONCE: usize = 100;
/// How many runs are read to count those that the visitor can view.
const COUNTED: usize = 1_000;
/// How many slices of runs a search reads for one page.
const SLICES: usize = 20;
/// The characters that need no escape in a query value, and the slash.
const VALUE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// What a visitor may watch.
#[derive(Clone)]
pub(in crate::web) struct Granted {
    pub(in crate::web) rights: Rights,
    /// Checked before each event is sent; `None` if there is no `authorize` hook.
    pub(in crate::web) grant: Option<Arc<AccessGrant>>,
    /// The actor who watches, if known.
    pub(in crate::web) actor: Option<Arc<str>>,
}

impl Context {
    /// Checks permission for an action on a process or run. Returns the actor, or the response to send instead.
    pub(in crate::web) async fn may(
        &self,
        process: Option<&'static Process>,
        run: Option<&Run>,
        action: Action,
    ) -> Result<Actor, Response> {
        match self.visitor.may(process, run, action).await {
            Ok(actor) => Ok(actor),
            Err(Refused::Hidden) => Err(self.nothing().await),
            Err(refused) => Err(self.refuse(refused)),
        }
    }

    /// The process, for visitors with permission for this action.
    pub(in crate::web) async fn process(
        &self,
        process: Option<&'static Process>,
        action: Action,
    ) -> Result<(&'static Process, Actor), Response> {
        let Some(process) = process else { return Err(self.nothing().await) };
        let actor = self.may(Some(process), None, action).await?;
        Ok((process, actor))
    }

    /// The stored run, for visitors with permission for this action.
    pub(in crate::web) async fn run(&self, id: &str, action: Action) -> Result<(Run, Actor), Response> {
        let Ok(id) = id.parse() else { return Err(self.nothing().await) };
        match self.processes.store().run(id).await {
            Ok(Some(run)) => {
                let actor = self.may_with(&run, action).await?;
                Ok((run, actor))
            }
            Ok(None) => Err(self.nothing().await),
            Err(error) => Err(Problem::of_store(&error).respond(self)),
        }
    }

    pub(in crate::web) async fn may_with(&self, run: &Run, action: Action) -> Result<Actor, Response> {
        self.may(self.processes.registry().get(&run.process), Some(run), action).await
    }

    /// True if the visitor has permission; the response to send instead if that could not be determined.
    pub(in crate::web) async fn is_allowed(
        &self,
        process: Option<&'static Process>,
        run: Option<&Run>,
        action: Action,
    ) -> Result<bool, Response> {
        match self.visitor.may(process, run, action).await {
            Ok(_) => Ok(true),
            Err(refused) if refused.is_failure() => Err(self.refuse(refused)),
            Err(_) => Ok(false),
        }
    }

    pub(in crate::web) async fn sees(&self, run: &Run) -> Result<bool, Response> {
        self.is_allowed(self.processes.registry().get(&run.process), Some(run), Action::View).await
    }

    /// Checks that the run which a start refers to can be named in the answer. An earlier start may have created it: a
    /// visitor without permission to view it learns only that nothing was started.
    pub(in crate::web) async fn is_shown(&self, run: &Run) -> Result<(), Response> {
        match self.sees(run).await? {
            true => Ok(()),
            false => Err(Problem::new(StatusCode::FORBIDDEN, "problem.not_shown").respond(self)),
        }
    }

    /// The visitor's other permissions for a run that they can view.
    pub(in crate::web) async fn rights(&self, run: &Run) -> Result<Rights, Response> {
        if !self.visitor.is_asked_about() {
            return Ok(Rights::ALL);
        }
        let process = self.processes.registry().get(&run.process);
        let control = self.is_allowed(process, Some(run), Action::Control).await?;
        Ok(Rights {
            process: process.is_some() && self.is_allowed(process, None, Action::View).await?,
            start: process.is_some() && self.is_allowed(process, None, Action::Start).await?,
            control,
            download: self.is_allowed(process, Some(run), Action::Download).await?,
            share: control && self.processes.signer().is_some(),
        })
    }

    /// The visitor's permissions for each of these runs, in their order.
    pub(in crate::web) async fn rights_of(&self, runs: &[Run]) -> Result<Vec<Rights>, Response> {
        let mut rights = Vec::with_capacity(runs.len());
        for run in runs {
            rights.push(self.rights(run).await?);
        }
        Ok(rights)
    }

    /// Grants a visitor with permission to view a run the right to watch it, for as long as the permission lasts.
    pub(in crate::web) async fn watches(&self, feed: &Arc<Feed>) -> Result<Granted, Response> {
        if !self.visitor.is_asked_about() {
            return Ok(Granted { rights: Rights::ALL, grant: None, actor: None });
        }
        let run = feed.run();
        let process = self.processes.registry().get(&run.process);
        let actor = self.may(process, Some(&run), Action::View).await?;
        let grant = self.processes.grants().give(&self.visitor, process, feed);
        Ok(Granted { rights: self.rights(&run).await?, grant, actor: actor.name().map(Arc::from) })
    }

    /// A ticket for a stream of these runs.
    pub(in crate::web) fn ticket(
        &self,
        runs: impl IntoIterator<Item = RunId>,
        granted: &Granted,
    ) -> Result<Ticket, Problem> {
        let ticket = self.processes.viewers().enter(runs, granted.actor.clone());
        ticket.map_err(Problem::of_crowd)
    }

    /// The matching runs that the visitor can view. Only those count for the limit of the filter.
    pub(in crate::web) async fn runs(&self, filter: RunFilter) -> Result<Vec<Run>, Response> {
        Ok(self.run_slice(filter).await?.runs)
    }

    /// The same, with the position at which to continue if there may be more: at the limit of the filter, or where
    /// reading ended because most runs do not contain the text, or cannot be viewed.
    pub(in crate::web) async fn run_slice(&self, mut filter: RunFilter) -> Result<RunSlice, Response> {
        let (limit, is_asked_about) = (filter.limit, self.visitor.is_asked_about());
        let slices = if filter.sought().is_some() { SLICES } else { usize::MAX };
        let (mut seen, mut looked_at) = (Vec::new(), 0);
        for _ in 0..slices {
            filter.limit = if is_asked_about { AT_ONCE } else { limit - seen.len() };
            let some = self.processes.store().run_slice(filter.clone()).await;
            let some = some.map_err(|error| Problem::of_store(&error).respond(self))?;
            looked_at += some.runs.len();
            for run in some.runs {
                if !is_asked_about || self.sees(&run).await? {
                    seen.push(run);
                }
                if let Some(last) = seen.get(limit.wrapping_sub(1)) {
                    let next = Some(RunPosition::of(last));
                    self.processes.feeds().refresh(&mut seen);
                    return Ok(RunSlice { next, runs: seen });
                }
            }
            filter.after = some.next;
            if some.next.is_none() || (is_asked_about && looked_at >= LOOKED_AT) {
                break;
            }
        }
        // It may be a run that the visitor cannot view.
        let next = filter.after.map(|next| RunPosition { id: RunId::from_bytes([0; 16]), ..next });
        self.processes.feeds().refresh(&mut seen);
        Ok(RunSlice { runs: seen, next })
    }

    /// How many of the matching runs that the visitor can view have each status.
    pub(in crate::web) async fn count_runs(&self, filter: RunFilter) -> Result<RunCounts, Response> {
        let failed = |error: StoreError| Problem::of_store(&error).respond(self);
        if !self.visitor.is_asked_about() {
            return self.processes.store().count_runs(filter).await.map_err(failed);
        }
        let statuses = Vec::new();
        let mut filter = RunFilter { statuses, after: None, limit: AT_ONCE, ..filter };
        let mut counts = RunCounts::default();
        for _ in 0..COUNTED / AT_ONCE {
            let some = self.processes.store().run_slice(filter.clone()).await.map_err(failed)?;
            for run in &some.runs {
                if self.sees(run).await? {
                    counts.add(run.status, 1);
                }
            }
            filter.after = some.next;
            if some.next.is_none() {
                counts.is_complete = true;
                break;
            }
        }
        Ok(counts)
    }

    /// The processes that the visitor can view. Visitors who can view none may have to sign in first.
    pub(in crate::web) async fn all_processes(&self) -> Result<Vec<&'static Process>, Response> {
        let (mut seen, mut refused) = (Vec::new(), None);
        for process in self.processes.registry().iter() {
            match self.visitor.may(Some(process), None, Action::View).await {
                Ok(_) => seen.push(process),
                Err(one) if one.is_failure() => return Err(self.refuse(one)),
                Err(one @ Refused::SignIn(_)) => refused = Some(one),
                Err(_) => {}
            }
        }
        match refused {
            Some(refused) if seen.is_empty() => Err(self.refuse(refused)),
            _ => Ok(seen),
        }
    }

    /// The 404 for something that does not exist, or that the visitor must not know about.
    pub(in crate::web) async fn nothing(&self) -> Response {
        self.refuse(self.visitor.sees_nothing().await)
    }

    pub(in crate::web) fn refuse(&self, refused: Refused) -> Response {
        let problem = match refused {
            Refused::Hidden => Problem::not_found(),
            Refused::SignIn(address) => return self.lead_to(&address),
            Refused::NotAllowed(Action::Start) => Problem::new(StatusCode::FORBIDDEN, "problem.no_start"),
            Refused::NotAllowed(Action::Download) => {
                Problem::new(StatusCode::FORBIDDEN, "problem.no_download")
            }
            Refused::NotAllowed(_) => Problem::new(StatusCode::FORBIDDEN, "problem.no_control"),
            Refused::Panicked => Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "problem.access"),
            Refused::Late => Problem::new(StatusCode::SERVICE_UNAVAILABLE, "problem.access_late"),
        };
        problem.respond(self)
    }

    /// Redirects a browser to the sign-in page, and answers a program with a 401.
    fn lead_to(&self, address: &str) -> Response {
        let mut problem = Problem::new(StatusCode::UNAUTHORIZED, "problem.sign_in");
        problem.sign_in = Some(address.into());
        if !self.page {
            let mut response = problem.respond(self);
            // A 401 needs a challenge. Browsers do not know this scheme, so they show no password dialog.
            let challenge = HeaderValue::try_from(format!("Cookie form-action=\"{address}\""));
            let challenge = challenge.unwrap_or(HeaderValue::from_static("Cookie"));
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
            return response;
        }
        let and = if address.contains('?') { '&' } else { '?' };
        // An unsafe return address is dropped: the login then redirects to its default page.
        let next = self.wanted().and_then(|page| Some(local_redirect(&page)?.to_owned()));
        let next = next.map(|page| format!("{and}next={}", utf8_percent_encode(&page, VALUE)));
        match HeaderValue::try_from(format!("{address}{}", next.unwrap_or_default())) {
            Ok(address) => (StatusCode::SEE_OTHER, [(LOCATION, address)]).into_response(),
            Err(_) => problem.respond(self),
        }
    }

    /// The page that was requested, or from which the request was sent.
    fn wanted(&self) -> Option<String> {
        let parts = self.visitor.parts()?;
        let asked = parts.uri.path_and_query().map_or("/", |asked| asked.as_str());
        let path = parts.uri.path();
        let page = match parts.method {
            Method::GET | Method::HEAD => asked.to_owned(),
            _ => match path.strip_suffix("/start") {
                Some(process) => format!("{process}/show_progress"),
                // The path of a run.
                None => path.rsplit_once('/').map_or("/", |(page, _)| page).to_owned(),
            },
        };
        Some(format!("{}{page}", self.cut))
    }

    /// The refusal of a cross-site request; `None` for any other. The operator's log says what to do if it was none.
    pub(in crate::web) fn refuses_site(&self) -> Option<Response> {
        let foreign = self.foreign.as_ref()?;
        let detail = match foreign {
            Foreign::Site(_) => Message::new("problem.other_site"),
            Foreign::Host { origin, host } => {
                let message = Message::new("problem.other_host").with("origin", excerpt(origin));
                message.with("host", excerpt(host))
            }
        };
        if let Some(left_out) = OTHER_SITE.admit() {
            match foreign {
                Foreign::Site(origin) => tracing::warn!(
                    "refused a request from another site, {}: trusted_origins([…]) would permit it{left_out}",
                    OneLine(excerpt(origin))
                ),
                Foreign::Host { origin, host } => tracing::warn!(
                    "refused a request from {} for the host {} as one from another site: if a proxy changed the host, let \
                     it pass on what the browser sent, with the port (nginx: proxy_set_header Host $http_host){left_out}",
                    OneLine(excerpt(origin)),
                    OneLine(excerpt(host))
                ),
            }
        }
        Some(Problem::new(StatusCode::FORBIDDEN, detail).respond(self))
    }
}
