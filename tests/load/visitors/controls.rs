//! Control requests of programs, and the buttons of pages.

use serde_json::Value;

use super::Visitor;
use super::book::{ENDLESS, has_ended};
use super::client::{Answer, Ask, Client, Step, wrong};
use super::page::Page;

/// Whether it ends only on request.
fn needs_an_end(run: &Value) -> bool {
    let is_endless = ENDLESS.iter().any(|process| run["process"] == *process) || run["input"]["hold"] == 1;
    !has_ended(run) && (is_endless || run["status"] == "paused")
}

impl Visitor<'_> {
    /// Sends a control request, and returns the run's state afterwards.
    async fn ask_of(&mut self, client: &Client, id: &str, what: &str) -> Step<Answer> {
        if what.starts_with("cancel") {
            // It may do so and be killed before it answers.
            self.book.will_be_cancelled(id);
        }
        let answer = client.ask(Ask::post(format!("/runs/{id}/{what}"))).await?;
        // A secret of an earlier program is required again, and so is a file that cannot be read.
        let answer = answer.is(&[200, 201, 409, 422])?;
        if answer.status < 300 {
            let run = answer.json()?;
            if what.starts_with("retry") != (answer.status == 201) {
                return wrong("this is the answer to another question", &[&answer]);
            }
            if answer.status == 201 && run["retry_of"] != id {
                return wrong("this is the retry of another run", &[&answer]);
            }
            self.book.look(&run, &answer)?;
        }
        Ok(answer)
    }

    async fn ask_one(&mut self, what: &str, is: impl Fn(&Value) -> bool) -> Step {
        let Some(run) = self.book.choose(&mut self.chance, is) else { return Ok(()) };
        let client = self.client().await;
        self.ask_of(&client, run["id"].as_str().unwrap_or_default(), what).await?;
        Ok(())
    }

    pub(super) async fn cancel(&mut self) -> Step {
        let rare = self.chance.one_in(6);
        self.ask_one("cancel", |run| if rare { true } else { needs_an_end(run) }).await
    }

    pub(super) async fn force(&mut self) -> Step {
        self.ask_one("cancel?force=yes", |run| run["process"] == "deaf" || needs_an_end(run)).await
    }

    pub(super) async fn pause(&mut self) -> Step {
        self.ask_one("pause", |run| !has_ended(run)).await
    }

    pub(super) async fn resume(&mut self) -> Step {
        self.ask_one("resume", |run| !has_ended(run)).await
    }

    pub(super) async fn retry(&mut self) -> Step {
        let anew = if self.chance.one_in(2) { "retry" } else { "retry?from=start" };
        self.ask_one(anew, |run| has_ended(run) && run["status"] != "succeeded").await
    }

    /// Presses a button of a run's page: it must work, unless the run has changed in the meantime.
    pub(super) async fn press(&mut self) -> Step {
        let Some(run) = self.book.choose(&mut self.chance, |_| true) else { return Ok(()) };
        let (client, id) = (self.client().await, run["id"].as_str().unwrap_or_default());
        let page = Ask::get(format!("/runs/{id}")).page();
        let before = client.ask(page.clone()).await?.is(&[200])?;
        let offered: Vec<_> = Page::read(&before.text()).offered().into_iter().collect();
        let Some(what) = self.chance.choose(&offered).cloned() else { return Ok(()) };
        if what == "share" {
            return self.share().await;
        }
        let (run, _) = self.book.see(&client, id).await?;
        let answer = self.ask_of(&client, id, &what).await?;
        if answer.status < 300 {
            return Ok(());
        }
        // Has the run changed, or does the page still offer the button?
        let after = client.ask(page).await?.is(&[200])?;
        let (now, by) = self.book.see(&client, id).await?;
        let is_same = ["status", "pausing", "attempt", "due_at"].iter().all(|name| run[name] == now[name]);
        if is_same && Page::read(&after.text()).offered().contains(&what) {
            let told = format!("{what} is offered before and afterwards, and refused");
            return wrong(told, &[&answer, &by]);
        }
        Ok(())
    }

    /// A guest is offered no control, and every attempt is refused.
    pub(super) async fn only_look(&mut self) -> Step {
        let Some(run) = self.book.choose(&mut self.chance, |_| true) else { return Ok(()) };
        let (client, id) = (self.client().await.as_user("guest"), run["id"].as_str().unwrap_or_default());
        let page = client.ask(Ask::get(format!("/runs/{id}")).page()).await?.is(&[200])?;
        if !Page::read(&page.text()).offered().is_empty() {
            return wrong("a guest is offered something", &[&page]);
        }
        for what in ["cancel", "cancel?force=yes", "pause", "resume", "retry", "share"] {
            client.ask(Ask::post(format!("/runs/{id}/{what}"))).await?.is(&[403])?;
        }
        client.ask(Ask::post("/empty/start")).await?.is(&[403])?;
        Ok(())
    }
}
