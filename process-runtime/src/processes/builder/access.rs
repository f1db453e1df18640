//! Authorization settings, and the check that a reachable server does not lack them by oversight.

use std::env;
use std::net::IpAddr;
use std::time::Duration;

use super::durations::LONGEST;
use super::{BuildError, Builder};
use crate::access::{AccessRequest, Actor, Authorize, Denied};

/// How often watching viewers are reauthorized by default.
const RECHECK: Duration = Duration::from_secs(30);
/// The environment variable that allows anonymous access without a line of code.
const VARIABLE: &str = "PROCESS_ACCESS";

/// The settings of the builder.
#[derive(Debug, Default)]
pub(super) struct Admission {
    authorize: Option<Authorize>,
    anonymous: bool,
    recheck: Option<Duration>,
}

/// The checked settings.
#[derive(Debug)]
pub(in crate::processes) struct Admitted {
    /// `None` if the application has no `authorize` hook.
    pub(in crate::processes) authorize: Option<Authorize>,
    /// True if anonymous access is allowed.
    pub(in crate::processes) anonymous: bool,
    pub(in crate::processes) recheck: Duration,
}

impl Admission {
    /// Refuses hosts that others can reach if there is neither an `authorize` hook nor anonymous access.
    pub(super) fn check(self, hosts: &[String]) -> Result<Admitted, BuildError> {
        let Self { authorize, anonymous, recheck } = self;
        let anonymous = anonymous || said_in_environment()?;
        let open = hosts.iter().find(|host| !is_loopback(host));
        if let (Some(host), None, false) = (open, &authorize, anonymous) {
            return Err(BuildError::Access(format!("other machines can reach the host {host:?}")));
        }
        Ok(Admitted { authorize, anonymous, recheck: recheck.unwrap_or(RECHECK).min(LONGEST) })
    }
}

fn said_in_environment() -> Result<bool, BuildError> {
    match env::var(VARIABLE) {
        Err(_) => Ok(false),
        Ok(said) if said.is_empty() => Ok(false),
        Ok(said) if said == "anonymous" => Ok(true),
        Ok(said) => {
            Err(BuildError::Access(format!("{VARIABLE} is {said:?}; the only valid value is \"anonymous\"")))
        }
    }
}

/// True for names that only this machine can reach.
fn is_loopback(host: &str) -> bool {
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let name = match host.rsplit_once(':') {
        // The text after the last colon is a port, and not the end of an IPv6 address.
        Some((name, port)) if is_port(port) && (!name.contains(':') || name.ends_with(']')) => name,
        _ => host,
    };
    let name = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    let address = || name.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    name == "localhost" || name.ends_with(".localhost") || address()
}

impl Builder {
    /// Sets the authorization hook. The runtime calls it before it shows or does anything: at most once per request
    /// for each process, run and [`Action`](crate::Action). For a list, the runtime calls it for every item.
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
    /// You can also pass an async closure. Calls share what it captures:
    ///
    /// ```
    /// use process_runtime::{AccessRequest, Actor, Denied};
    ///
    /// let builder = process_runtime::builder().authorize(async |request: AccessRequest| {
    ///     let name = request.parts().headers.get("x-user").and_then(|name| name.to_str().ok());
    ///     name.map(Actor::named).ok_or_else(Denied::not_found)
    /// });
    /// ```
    ///
    /// For every action, the runtime calls the hook with [`Action::View`](crate::Action::View) first. If the hook
    /// answers that with [`Denied::not_found`], the response is the same, byte for byte, as for an item that does
    /// not exist. If the hook permits viewing but not starting, controlling or downloading, pages omit the button,
    /// form or link, and a request for it is answered with 403. If the hook panics, the response is 500; if it does
    /// not return within 10 seconds, the response is 503. Neither shows anything.
    ///
    /// The history lists the runs that the visitor may view, of the processes that the visitor may view. The
    /// runtime calls the hook for one run after the other until a page is full. Keep the hook fast: answer from
    /// memory.
    ///
    /// Read the session in the hook. The runtime calls the hook for an open stream again
    /// [every 30 seconds](Self::reauthorize_every), with the head of the request that opened the stream. If a layer
    /// inserts the session as a handle that the hook loads, a sign-out ends the stream; a user whom a layer has already
    /// read into the extensions, as in the example above, stays signed in until the stream is opened again. Such a layer
    /// is fine if the user cannot sign out, as with client certificates.
    ///
    /// Code of the program itself is not subject to authorization.
    pub fn authorize<F>(mut self, hook: impl Fn(AccessRequest) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Actor, Denied>> + Send + 'static,
    {
        self.admission.authorize = Some(Authorize::new(hook));
        self
    }

    /// Sets how often the runtime reauthorizes viewers of an open stream, using the head of the request that opened
    /// it. Default: every 30 seconds; minimum: 10 ms. A viewer who has lost the permission receives no more data,
    /// and the stream ends at the next event or ping.
    pub fn reauthorize_every(mut self, every: Duration) -> Self {
        // A recheck never runs without a pause.
        self.admission.recheck = Some(every.max(Duration::from_millis(10)));
        self
    }

    /// Lets everyone who can reach the pages see and do everything. Use it in a private network, or if your own
    /// layer or proxy checks access. The environment variable `PROCESS_ACCESS=anonymous` has the same effect.
    ///
    /// Without this and without [`authorize`](Self::authorize), [`build`](Self::build) returns an error for hosts
    /// that others can reach.
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
