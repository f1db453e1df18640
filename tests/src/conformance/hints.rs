//! Notifications: they usually arrive, on every node.

use std::time::Duration;

use process_runtime::run::Outcome;
use process_runtime::store::{Batch, Control, Notification, Release};
use tokio::sync::broadcast::Receiver;

use super::{Nodes, batch_of, claimed, held, lines, run_of, started};

/// The notifications received since a time, and the one that must be among them.
type Heard = (Receiver<Notification>, Notification);

/// On one of three occasions the hint has to come, within a second or so.
async fn comes<F: Future<Output = Heard>>(what: &str, occasion: impl Fn() -> F) {
    for _ in 0..3 {
        let (mut hints, wanted) = occasion().await;
        let coming = async { while hints.recv().await != Ok(wanted) {} };
        if tokio::time::timeout(Duration::from_secs(2), coming).await.is_ok() {
            return;
        }
    }
    panic!("{what} gave no hint");
}

pub async fn start_release_and_resume_notify(Nodes { here, there }: Nodes) {
    for node in [&here, &there] {
        comes("a start", || async {
            let hints = node.notifications();
            started(&*here, run_of("a")).await;
            (hints, Notification::Queued)
        })
        .await;
        for to in [Release::Queued, Release::Retry(std::time::Duration::ZERO)] {
            comes("a release", || async {
                let claim = held(&*here, "b").await;
                let hints = node.notifications();
                here.release(claim.lease, Batch::default(), to).await.unwrap();
                here.control(claim.run.id, Control::Cancel).await.unwrap();
                (hints, Notification::Queued)
            })
            .await;
        }
        comes("a resume", || async {
            let run = started(&*here, run_of("c")).await;
            here.control(run.id, Control::Pause).await.unwrap();
            let hints = node.notifications();
            here.control(run.id, Control::Resume).await.unwrap();
            (hints, Notification::Queued)
        })
        .await;
    }
}

pub async fn request_notifies_of_its_run(Nodes { here, there }: Nodes) {
    for node in [&here, &there] {
        for control in [Control::Cancel, Control::Pause] {
            comes("a request", || async {
                let claim = held(&*here, "count").await;
                let hints = node.notifications();
                here.control(claim.run.id, control).await.unwrap();
                (hints, Notification::Requested(claim.run.id))
            })
            .await;
        }
    }
}

pub async fn changes_and_ends_notify_of_run(Nodes { here, there }: Nodes) {
    for node in [&here, &there] {
        comes("a claim", || async {
            let run = started(&*here, run_of("claimed")).await;
            let hints = node.notifications();
            claimed(&*here, "claimed").await;
            (hints, Notification::Changed(run.id))
        })
        .await;
        comes("news", || async {
            let claim = held(&*here, "count").await;
            let hints = node.notifications();
            here.append(claim.lease, batch_of(lines("line", [1]))).await.unwrap();
            (hints, Notification::Changed(claim.run.id))
        })
        .await;
        comes("an end", || async {
            let claim = held(&*here, "count").await;
            let hints = node.notifications();
            here.finish(claim.lease, Batch::default(), Outcome::Cancelled).await.unwrap();
            (hints, Notification::Changed(claim.run.id))
        })
        .await;
        comes("a force", || async {
            let claim = held(&*here, "forced").await;
            let hints = node.notifications();
            here.control(claim.run.id, Control::ForceCancel).await.unwrap();
            (hints, Notification::Changed(claim.run.id))
        })
        .await;
        comes("a cancel of a waiting run", || async {
            let run = started(&*here, run_of("waiting")).await;
            let hints = node.notifications();
            here.control(run.id, Control::Cancel).await.unwrap();
            (hints, Notification::Changed(run.id))
        })
        .await;
    }
}
