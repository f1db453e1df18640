//! Visitors that take random steps, and compare each response with earlier ones.

use std::sync::Arc;
use std::time::Duration;

use process_tests::Chance;

use self::client::Client;

mod book;
mod client;
mod controls;
mod lines;
mod looks;
mod page;
mod program;
mod starts;

pub(crate) use book::Book;
pub(crate) use client::{Step, Trouble};
pub(crate) use program::Program;

/// What they do, and how often: a start is fourteen times as likely as a confirmed one.
const WEIGHTS: [(What, u64); 28] = [
    (What::Start, 14),
    (What::StartWrongly, 5),
    (What::Confirm, 1),
    (What::DoubleClick, 2),
    (What::Upload, 2),
    (What::CutUpload, 1),
    (What::PageBesideJson, 14),
    (What::See, 6),
    (What::List, 4),
    (What::Compare, 2),
    (What::Share, 1),
    (What::Watch, 8),
    (What::Tabs, 3),
    (What::Messages, 2),
    (What::Download, 4),
    (What::Search, 3),
    (What::Range, 2),
    (What::LeaveEarly, 3),
    (What::Cancel, 6),
    (What::Force, 1),
    (What::Pause, 3),
    (What::Resume, 3),
    (What::Retry, 2),
    (What::Press, 5),
    (What::OddVerb, 2),
    (What::FromElsewhere, 1),
    (What::OnlyLook, 1),
    (What::Misbehave, 1),
];

/// Everything that a visitor may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum What {
    Start,
    StartWrongly,
    Confirm,
    DoubleClick,
    Upload,
    CutUpload,
    PageBesideJson,
    See,
    List,
    Compare,
    Share,
    Watch,
    Tabs,
    Messages,
    Download,
    Search,
    Range,
    LeaveEarly,
    Cancel,
    Force,
    Pause,
    Resume,
    Retry,
    Press,
    OnlyLook,
    OddVerb,
    FromElsewhere,
    Misbehave,
}

impl What {
    pub(crate) fn at_random(chance: &mut Chance) -> Self {
        let mut left = chance.of(1, WEIGHTS.iter().map(|(_, weight)| weight).sum());
        for (what, weight) in WEIGHTS {
            if left <= weight {
                return what;
            }
            left -= weight;
        }
        Self::See
    }
}

/// One visitor.
pub(crate) struct Visitor<'a> {
    pub(crate) program: &'a Arc<Program>,
    pub(crate) http: reqwest::Client,
    pub(crate) user: &'static str,
    pub(crate) book: &'a Book,
    pub(crate) chance: Chance,
}

impl Visitor<'_> {
    /// The same visitor for another task.
    pub(crate) fn again(&self) -> Visitor<'_> {
        let Self { program, http, user, book, chance } = self;
        Visitor { program, http: http.clone(), user, book, chance: chance.clone() }
    }

    /// As soon as the program is up.
    async fn client(&self) -> Client {
        Client::to(self.program, &self.http, self.user).await
    }

    pub(crate) async fn act(&mut self, what: What) -> Step {
        match what {
            What::Start => self.start().await,
            What::StartWrongly => self.start_wrongly().await,
            What::Confirm => self.confirm().await,
            What::DoubleClick => self.double_click().await,
            What::Upload => self.upload().await,
            What::CutUpload => self.cut_upload().await,
            What::PageBesideJson => self.page_beside_json().await,
            What::See => self.see().await,
            What::List => self.list().await,
            What::Compare => self.compare().await,
            What::Share => self.share().await,
            What::Watch => self.watch().await,
            What::Tabs => self.tabs().await,
            What::Messages => self.messages().await,
            What::Download => self.download().await,
            What::Search => self.search().await,
            What::Range => self.range().await,
            What::LeaveEarly => self.leave_early().await,
            What::Cancel => self.cancel().await,
            What::Force => self.force().await,
            What::Pause => self.pause().await,
            What::Resume => self.resume().await,
            What::Retry => self.retry().await,
            What::Press => self.press().await,
            What::OnlyLook => self.only_look().await,
            What::OddVerb => self.odd_verb().await,
            What::FromElsewhere => self.be_elsewhere().await,
            What::Misbehave => self.misbehave().await,
        }
    }

    /// Ends endless runs, and checks every run after its end.
    pub(crate) async fn settle(&mut self) -> Step {
        let (client, began) = (self.client().await, std::time::Instant::now());
        for id in self.book.ids() {
            loop {
                let (run, by) = self.book.see(&client, &id).await?;
                if book::has_ended(&run) {
                    break;
                }
                self.book.will_be_cancelled(&id);
                client.ask(client::Ask::post(format!("/runs/{id}/cancel"))).await?.is(&[200])?;
                if began.elapsed() > Duration::from_secs(180) {
                    return client::wrong("it does not end", &[&by]);
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Ok(())
    }
}
