//! Read-only steps: pages compared with their JSON, lists, shared and compared runs; and hostile requests.

use serde_json::Value;

use super::Visitor;
use super::book::has_ended;
use super::client::{Ask, Step, wrong};
use super::page::Page;
use crate::hostile::misbehave;

/// Lists and descriptions.
const LISTS: [&str; 13] = [
    "/",
    "/?q=count",
    "/runs",
    "/runs?q=1",
    "/runs?status=failed,cancelled",
    "/runs?process=repeats&status=succeeded",
    "/runs?actor=ann&from=2020-01-01",
    "/openapi.json",
    "/works/schema.json",
    "/works/show_progress?milliseconds=5&every=x",
    "/repeats/show_progress",
    "/sort/show_progress",
    "/metrics",
];

/// Verbs, and addresses below a run that take none of them.
const VERBS: [&str; 7] = ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "POST"];
const READ_ONLY: [&str; 5] = ["", "/events", "/log", "/result", "/compare"];

impl Visitor<'_> {
    /// A page shows the same as the JSON of the same moment.
    pub(super) async fn page_beside_json(&mut self) -> Step {
        let Some(run) = self.book.choose(&mut self.chance, |_| true) else { return Ok(()) };
        let (client, id) = (self.client().await, run["id"].as_str().unwrap_or_default());
        // An active run may change between the two, so only parts that are equal before and after are compared.
        for _ in 0..5 {
            let (before, told) = self.book.see(&client, id).await?;
            let shown = client.ask(Ask::get(format!("/runs/{id}")).page()).await?.is(&[200])?;
            let (after, _) = self.book.see(&client, id).await?;
            let fixed = |run: &Value| {
                let mut run = run.clone();
                run["elapsed_ms"] = Value::Null;
                run
            };
            if fixed(&before) == fixed(&after) {
                let contradiction = Page::read(&shown.text()).contradicts(&before);
                return contradiction.map_or(Ok(()), |what| wrong(what, &[&shown, &told]));
            }
        }
        Ok(())
    }

    /// A run as it was acknowledged is there.
    pub(super) async fn see(&mut self) -> Step {
        let Some(run) = self.book.choose(&mut self.chance, |_| true) else { return Ok(()) };
        let client = self.client().await;
        self.book.see(&client, run["id"].as_str().unwrap_or_default()).await?;
        Ok(())
    }

    pub(super) async fn list(&mut self) -> Step {
        let client = self.client().await;
        let path = *self.chance.choose(&LISTS).unwrap_or(&"/");
        let ask = Ask::get(path);
        let answer = client.ask(if self.chance.one_in(2) { ask.page() } else { ask }).await?.is(&[200])?;
        if path.starts_with("/runs") && answer.header("content-type") == Some("application/json") {
            for run in answer.json()?["runs"].as_array().into_iter().flatten() {
                self.book.look(run, &answer)?;
            }
        }
        let text = answer.text();
        let is_page = answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
        let page = Page::read(if is_page { &text } else { "" });
        let odd = page.rows().into_iter().find_map(|(id, state)| self.book.note_row(id, state, answer.sent));
        odd.map_or(Ok(()), |fault| wrong(fault, &[&answer]))
    }

    /// A comparison shows each run as it is alone.
    pub(super) async fn compare(&mut self) -> Step {
        let one = self.book.choose(&mut self.chance, has_ended);
        let other = self.book.choose(&mut self.chance, has_ended);
        let (Some(one), Some(other)) = (one, other) else { return Ok(()) };
        let [one, other] = [one, other].map(|run| run["id"].as_str().unwrap_or_default().to_owned());
        let (client, path) = (self.client().await, format!("/runs/{one}/compare?with={other}"));
        client.ask(Ask::get(&path).page()).await?.is(&[200])?;
        let answer = client.ask(Ask::get(path)).await?.is(&[200])?;
        let both = answer.json()?;
        if (both["run"]["id"].as_str(), both["other"]["id"].as_str()) != (Some(&one), Some(&other)) {
            return wrong("other runs are compared", &[&answer]);
        }
        self.book.look(&both["run"], &answer)?;
        self.book.look(&both["other"], &answer)
    }

    /// A share link shows its run to a stranger, and gives no other permission.
    pub(super) async fn share(&mut self) -> Step {
        let Some(run) = self.book.choose(&mut self.chance, |_| true) else { return Ok(()) };
        let (client, id) = (self.client().await, run["id"].as_str().unwrap_or_default());
        let (stranger, path) = (client.as_user(""), format!("/runs/{id}"));
        stranger.ask(Ask::get(&path)).await?.is(&[404])?;
        let shared =
            client.ask(Ask::post(format!("{path}/share")).form(&[("for", "1h")])).await?.is(&[201])?;
        let url = shared.json()?["url"].as_str().unwrap_or_default().to_owned();
        let Some((_, token)) = url.split_once('?') else { return wrong("this is no link", &[&shared]) };
        let shown = stranger.ask(Ask::get(format!("{path}?{token}"))).await?.is(&[200])?;
        let run = shown.json()?;
        self.book.look(&run, &shown)?;
        let links = run["links"].as_object();
        if links.is_none_or(|links| ["cancel", "retry", "share"].iter().any(|link| links.contains_key(*link)))
        {
            return wrong("a stranger is offered something", &[&shown]);
        }
        stranger.ask(Ask::post(format!("{path}/cancel?{token}"))).await?.is(&[404])?;
        Ok(())
    }

    /// Verbs that an address is not for do nothing.
    pub(super) async fn odd_verb(&mut self) -> Step {
        let Some(run) = self.book.choose(&mut self.chance, has_ended) else { return Ok(()) };
        let (client, id) = (self.client().await, run["id"].as_str().unwrap_or_default());
        let below = self.chance.choose(&READ_ONLY).unwrap_or(&"");
        let verb = self.chance.choose(&VERBS).unwrap_or(&"PUT");
        client.ask(Ask::new(verb, format!("/runs/{id}{below}"))).await?.is(&[404, 405])?;
        let head = client.ask(Ask::new("HEAD", format!("/runs/{id}/events"))).await?.is(&[200])?;
        if !head.body.is_empty() {
            return wrong("the answer to HEAD has a body", &[&head]);
        }
        client.ask(Ask::get(format!("/runs/{id}/cancel"))).await?.is(&[404, 405])?;
        self.book.see(&client, id).await?;
        Ok(())
    }

    /// Other hosts and other sites get nothing, and nothing is done for them.
    pub(super) async fn be_elsewhere(&mut self) -> Step {
        let client = self.client().await;
        let host = Ask::get("/").header("host", "evil.example");
        client.ask(host).await?.is(&[421])?;
        let start = || Ask::post("/empty/start").json(&serde_json::json!({}));
        client.ask(start().header("sec-fetch-site", "cross-site")).await?.is(&[403])?;
        client.ask(start().header("origin", "http://evil.example")).await?.is(&[403])?;
        client.ask(Ask::get("/runs/nobody/log")).await?.is(&[404])?;
        let stranger = client.as_user("");
        stranger.ask(Ask::get("/runs/nobody")).await?.is(&[404])?;
        Ok(())
    }

    /// Hostile requests, whose rejections need no explanation.
    pub(super) async fn misbehave(&mut self) -> Step {
        let Some(run) = self.book.choose(&mut self.chance, |_| true) else { return Ok(()) };
        let client = self.client().await;
        let (Ok(addr), turn) = (client.addr().parse(), self.chance.of(0, 60) as usize) else { return Ok(()) };
        let run = format!("/runs/{}", run["id"].as_str().unwrap_or_default());
        // Its sockets block, and the server may be gone.
        let _ = tokio::task::spawn_blocking(move || misbehave(addr, &run, turn)).await;
        Ok(())
    }
}
