//! Processes for people who have signed in, on <http://127.0.0.1:3000>: Ann may do everything, Bob may look at what
//! is for everybody. Both have the password `lamp`.
//!
//! The session belongs to the application, in any tower layer; the hook reads it. It loads it again each time, so that
//! a sign-out also ends open streams.

use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use axum::{Form, Router};
use process_runtime::prelude::*;
use process_runtime::{AccessRequest, Action, Actor, Denied, local_redirect};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::time::{Duration, sleep};
use tower_sessions::cookie::SameSite;
use tower_sessions::{MemoryStore, Session, SessionManagerLayer};

/// Counts the lamps in the shop.
#[process(title = "Count the lamps")]
async fn count_lamps(
    #[field(default = 20, max = 1_000)] lamps: u32,
) -> Result<u32, std::convert::Infallible> {
    for lamp in 1..=lamps {
        sleep(Duration::from_millis(100)).await;
        set_progress_of(lamp, lamps);
    }
    Ok(lamps)
}

/// Pays every employee.
#[process(title = "Pay the wages", group = "office")]
async fn pay_wages() {
    log("Paid");
}

/// Who has signed in. A real application looks people up, and their passwords by a hash.
#[derive(Clone, Copy, Serialize, Deserialize)]
enum User {
    Ann,
    Bob,
}

impl User {
    fn find(name: &str, password: &str) -> Option<Self> {
        match (name, password) {
            ("ann", "lamp") => Some(Self::Ann),
            ("bob", "lamp") => Some(Self::Bob),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Ann => "ann",
            Self::Bob => "bob",
        }
    }
}

/// What the session keeps a user under.
const USER: &str = "user";

async fn who_may(request: AccessRequest) -> Result<Actor, Denied> {
    let Some(user) = signed_in(&request).await else { return Err(Denied::sign_in("/login")) };
    let is_for_everybody = request.route().is_some_and(|route| !route.starts_with("office/"));
    let may = match user {
        User::Ann => true,
        User::Bob => is_for_everybody && request.action() == Action::View,
    };
    if may { Ok(Actor::named(user.name())) } else { Err(Denied::not_found()) }
}

async fn signed_in(request: &AccessRequest) -> Option<User> {
    let session = request.parts().extensions.get::<Session>()?;
    // The current session and not that of the request, because a stream may be open for hours.
    session.load().await.ok()?;
    session.get(USER).await.ok()?
}

async fn ask() -> Html<&'static str> {
    Html(
        r#"<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Sign in</title>
<form method="post">
  <p><label>Name <input name="name" autocomplete="username" autofocus></label>
  <p><label>Password <input name="password" type="password" autocomplete="current-password"></label>
  <p><button>Sign in</button>
</form></html>"#,
    )
}

#[derive(Deserialize)]
struct Credentials {
    name: String,
    password: String,
}

#[derive(Deserialize)]
struct Back {
    next: Option<String>,
}

async fn sign_in(
    session: Session,
    axum::extract::Query(back): axum::extract::Query<Back>,
    Form(credentials): Form<Credentials>,
) -> Response {
    let Some(user) = User::find(&credentials.name, &credentials.password) else {
        return (axum::http::StatusCode::FORBIDDEN, ask().await).into_response();
    };
    // A new session id prevents session fixation.
    if session.cycle_id().await.is_err() || session.insert(USER, user).await.is_err() {
        return axum::http::StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    // Only to a page of our own: anybody can write a link to this form with another address in it, and browsers see a
    // host where one would not, as in `/<tab>/evil.example`.
    let next = back.next.as_deref().and_then(local_redirect);
    Redirect::to(next.unwrap_or("/jobs")).into_response()
}

async fn sign_out(session: Session) -> Redirect {
    // Whatever is left of it is not found any more.
    let _ = session.flush().await;
    Redirect::to("/login")
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "prints the address of the page")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let processes = process_runtime::builder().authorize(who_may).build()?;
    // On a host that others can reach it is `true`, and the pages come by HTTPS.
    let sessions =
        SessionManagerLayer::new(MemoryStore::default()).with_secure(false).with_same_site(SameSite::Lax);
    let app = Router::new()
        .route("/", get(Redirect::to("/jobs")))
        .route("/login", get(ask).post(sign_in))
        .route("/logout", post(sign_out))
        .nest("/jobs", processes.router())
        // Around the router, so that the hook finds the session in the request.
        .layer(sessions);
    let address = std::env::var("PROCESS_ADDR").unwrap_or_else(|_| "127.0.0.1:3000".to_owned());
    let listener = TcpListener::bind(address).await?;
    println!("http://{}/", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}
