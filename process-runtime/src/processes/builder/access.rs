//! What an application says about who may, and that nothing is open to strangers by oversight.

use std::env;
use std::net::IpAddr;
use std::time::Duration;

use super::durations::LONGEST;
use super::{BuildError, Builder};
use crate::access::{AccessRequest, Actor, Authorize, Denied};

/// How often it is asked whether whoever watches may still, unless the builder says otherwise.
const RECHECK: Duration = Duration::from_secs(30);
/// What opens a program to everyone without a line of code.
const VARIABLE: &str = "PROCESS_ACCESS";

/// What the builder was told.
#[derive(Debug, Default)]
pub(super) struct Admission {
    authorize: Option<Authorize>,
    anonymous: bool,
    recheck: Option<Duration>,
}

/// What holds then.
#[derive(Debug)]
pub(in crate::processes) struct Admitted {
    /// `None` where the application has no say.
    pub(in crate::processes) authorize: Option<Authorize>,
    /// True when it was said that everybody may everything.
    pub(in crate::processes) anonymous: bool,
    pub(in crate::processes) recheck: Duration,
}

impl Admission {
    /// Refuses what others can reach when nobody has said who may.
    pub(super) fn check(self, hosts: &[String]) -> Result<Admitted, BuildError> {
        let Self { authorize, anonymous, recheck } = self;
        let anonymous = anonymous || said_in_environment()?;
        let open = hosts.iter().find(|host| !is_loopback(host));
        if let (Some(host), None, false) = (open, &authorize, anonymous) {
            return Err(BuildError::Access(format!("{host:?} is a host that others can reach")));
        }
        Ok(Admitted { authorize, anonymous, recheck: recheck.unwrap_or(RECHECK).min(LONGEST) })
    }
}

fn said_in_environment() -> Result<bool, BuildError> {
    match env::var(VARIABLE) {
        Err(_) => Ok(false),
        Ok(said) if said.is_empty() => Ok(false),
        Ok(said) if said == "anonymous" => Ok(true),
        Ok(said) => Err(BuildError::Access(format!("{VARIABLE} is {said:?}, and can only be \"anonymous\""))),
    }
}

/// True for the names under which nobody but this machine is reached.
fn is_loopback(host: &str) -> bool {
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let name = match host.rsplit_once(':') {
        // Not the end of an address with colons in it.
        Some((name, port)) if is_port(port) && (!name.contains(':') || name.ends_with(']')) => name,
        _ => host,
    };
    let name = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let address = || name.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    name == "localhost" || name.ends_with(".localhost") || address()
}

impl Builder {
    /// Asks `hook` who may do what. It is asked before anything is shown or done, at most once in a request for each
    /// process, run and [`Action`](crate::Action); for a list, about everything in it.
    ///
    /// ```
    /// use process_runtime::{AccessRequest, Action, Actor, Denied};
    ///
    /// /// What the application's own layer puts into the extensions of a request.
    /// #[derive(Clone)]
    /// struct User {
    ///     name: String,
    ///     is_admin: bool,
    /// }
    ///
    /// async fn who_may(request: AccessRequest) -> Result<Actor, Denied> {
    ///     let Some(user) = request.parts().extensions.get::<User>() else {
    ///         return Err(Denied::sign_in("/login"));
    ///     };
    ///     let is_own = request.run().is_some_and(|run| run.actor.as_ref() == Some(&user.name));
    ///     let may = match request.action() {
    ///         Action::View => user.is_admin || request.route().is_some_and(|route| !route.starts_with("admin/")),
    ///         Action::Control => user.is_admin || is_own,
    ///         _ => true,
    ///     };
    ///     if may { Ok(Actor::named(&user.name)) } else { Err(Denied::not_found()) }
    /// }
    ///
    /// let builder = process_runtime::builder().hosts(["shop.example.org"]).authorize(who_may);
    /// ```
    ///
    /// An async closure does as well. What it captures is shared:
    ///
    /// ```
    /// # use process_runtime::{AccessRequest, Actor, Denied};
    /// let builder = process_runtime::builder().authorize(async |request: AccessRequest| {
    ///     let name = request.parts().headers.get("x-user").and_then(|name| name.to_str().ok());
    ///     name.map(Actor::named).ok_or_else(Denied::not_found)
    /// });
    /// ```
    ///
    /// What may not be viewed is answered like what is not there, to the byte. What may be viewed, but not started,
    /// controlled or downloaded, has no button, form or link for it, and is refused with 403. Whatever is asked for,
    /// [`Action::View`](crate::Action::View) is asked first. A hook that panics, or says nothing for 10 seconds,
    /// shows nothing to anybody: 500 and 503.
    ///
    /// The history lists the runs one may view of the processes one may view. It asks about one run after the other
    /// until a page is full, so answer from what is at hand: read the user in a layer, once a request.
    ///
    /// Code of the program itself is not asked about.
    pub fn authorize<F>(mut self, hook: impl Fn(AccessRequest) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Actor, Denied>> + Send + 'static,
    {
        self.admission.authorize = Some(Authorize::new(hook));
        self
    }

    /// How often it is asked again whether those who watch a stream may still, with the head of the request that
    /// opened it; every 30 seconds without it. Whoever may not is shown nothing more, and the stream ends at the next
    /// event or ping.
    pub fn reauthorize_every(mut self, every: Duration) -> Self {
        // Not without a pause, whatever was said.
        self.admission.recheck = Some(every.max(Duration::from_millis(10)));
        self
    }

    /// Lets everybody who reaches the pages see and do everything: for programs in a network of their own, and those
    /// that check in a layer or a proxy of theirs who comes in.
    ///
    /// Without this and without [`authorize`](Self::authorize), hosts that others can reach are refused when the
    /// program starts. The environment's `PROCESS_ACCESS=anonymous` says the same.
    pub fn allow_anonymous(mut self) -> Self {
        self.admission.anonymous = true;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_names_reach_only_localhost() {
        for host in [
            "localhost",
            "shop.localhost",
            "127.0.0.1",
            "127.8.0.1",
            "[::1]",
            "::1",
            "localhost:3000",
            "[::1]:80",
        ] {
            assert!(is_loopback(host), "{host}");
        }
        for host in
            ["shop.example.org", "localhost.example.org", "10.0.0.1", "0.0.0.0", "[::]", "notlocalhost"]
        {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
