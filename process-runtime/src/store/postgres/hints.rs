//! Hints between nodes, by LISTEN and NOTIFY. They may be lost: whoever waits for one also reads again every second.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{broadcast, mpsc};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tokio_postgres::types::Type;
use uuid::Uuid;

use super::super::{NodeId, Notification, StoreError};
use super::pool::{self, Pool};
use super::session::{Session, Target, Values};
use crate::run::RunId;
use crate::text::OneLine;
use crate::throttle::Throttle;

/// Hints are gathered for this long: a commit with a notification locks all others of the server out, so there must be
/// few of them.
const GATHERED: Duration = Duration::from_millis(5);
/// The most hints in one notification, which has at most 8,000 bytes: each is a letter and 32 digits.
const MOST: usize = 200;
/// How often the listener asks whether its connection is alive, and how long it waits for the answer: a connection
/// whose other end is gone stays silent for hours otherwise.
const PING: Duration = Duration::from_secs(5);
/// How long until a lost connection is made anew.
const AGAIN: Duration = Duration::from_secs(1);

static NO_ECHO: Throttle = Throttle::every(Duration::from_secs(600));

/// What is sent: the sender, who needs no echo, and a word for each hint.
fn written(sender: NodeId, hints: &[Notification]) -> String {
    let mut text = Uuid::from_bytes(*sender.as_bytes()).simple().to_string();
    for hint in hints {
        let id = |id: &RunId| Uuid::from_bytes(*id.as_bytes()).simple();
        match hint {
            Notification::Queued => text += " q",
            Notification::Requested(run) => text += &format!(" r{}", id(run)),
            Notification::Changed(run) => text += &format!(" c{}", id(run)),
        }
    }
    text
}

/// The hints of another node. What a newer version says besides is ignored.
fn read(own: NodeId, text: &str) -> Vec<Notification> {
    let mut words = text.split(' ');
    if words
        .next()
        .and_then(|sender| Uuid::try_parse(sender).ok())
        .is_none_or(|sender| sender.as_bytes() == own.as_bytes())
    {
        return Vec::new();
    }
    let hint = |word: &str| {
        let run = || Some(RunId::from_bytes(*Uuid::try_parse(word.get(1..)?).ok()?.as_bytes()));
        match word.as_bytes().first()? {
            b'q' => Some(Notification::Queued),
            b'r' => run().map(Notification::Requested),
            b'c' => run().map(Notification::Changed),
            _ => None,
        }
    };
    words.filter_map(hint).collect()
}

/// Sends hints, a few milliseconds' worth at a time, in transactions of their own.
pub(super) async fn send(
    pool: Arc<Pool>,
    schema: String,
    sender: NodeId,
    mut queue: mpsc::UnboundedReceiver<Notification>,
) {
    while let Some(first) = queue.recv().await {
        let began = Instant::now();
        let mut hints = vec![first];
        while hints.len() < MOST
            && let Ok(more) = queue.try_recv()
        {
            if !hints.contains(&more) {
                hints.push(more);
            }
        }
        if let Err(error) = notify(&pool, &schema, &written(sender, &hints)).await {
            tracing::debug!("a hint was not sent: {}", OneLine(&error));
        }
        sleep(GATHERED.saturating_sub(began.elapsed())).await;
    }
}

/// Receives the hints of the other nodes.
pub(super) async fn listen(
    target: Arc<Target>,
    pool: Arc<Pool>,
    own: NodeId,
    hints: broadcast::Sender<Notification>,
) {
    loop {
        let echo = Arc::new(AtomicBool::new(false));
        let heard = {
            let (hints, echo) = (hints.clone(), Arc::clone(&echo));
            move |text: &str| {
                if text == written(own, &[]) {
                    echo.store(true, Ordering::Relaxed);
                }
                for hint in read(own, text) {
                    let _ = hints.send(hint);
                }
            }
        };
        match pool::open(&target, heard).await {
            Ok(session) => {
                if let Err(error) = stay(&session, &pool, own, &hints, &echo).await {
                    tracing::warn!("no notifications for a moment: {}", OneLine(&error));
                }
            }
            Err(error) => tracing::debug!("no notifications: {}", OneLine(&error)),
        }
        sleep(AGAIN).await;
    }
}

/// Listens until the connection is lost. A notification from another connection shows now and then that they arrive.
async fn stay(
    session: &Session,
    pool: &Arc<Pool>,
    own: NodeId,
    hints: &broadcast::Sender<Notification>,
    echo: &AtomicBool,
) -> Result<(), StoreError> {
    let (schema, name) = (&session.target.schema, &session.target.name);
    let ask = async |statement: &str| match timeout(PING, session.batch(statement)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(failure)) => Err(failure.answer(name)),
        Err(_) => Err(StoreError::Unavailable(format!("{name}: no answer within {PING:?}").into())),
    };
    ask(&format!("LISTEN \"{}\"", schema.replace('"', "\"\""))).await?;
    // Whatever was queued before is not announced.
    let _ = hints.send(Notification::Queued);
    let mut ping = interval(PING);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut is_sent = false;
    loop {
        ping.tick().await;
        if std::mem::take(&mut is_sent)
            && !echo.swap(false, Ordering::Relaxed)
            && let Some(left_out) = NO_ECHO.admit()
        {
            tracing::warn!(
                "{}: notifications do not arrive, so other nodes see changes within a second only; a pooler may keep \
                 them: set PROCESS_STORE_LISTEN (PgOptions::listen_to) to the address of the server itself{left_out}",
                OneLine(name)
            );
        }
        ask("").await?;
        is_sent = notify(pool, schema, &written(own, &[])).await.is_ok();
    }
}

async fn notify(pool: &Arc<Pool>, schema: &String, text: &String) -> Result<(), StoreError> {
    let session = pool.session().await?;
    let notify = async |session: &Session| {
        let values: Values<'_> = &[(schema, Type::TEXT), (text, Type::TEXT)];
        session.query("SELECT pg_notify($1, $2)", values).await.map(drop)
    };
    session.run(notify).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_reach_other_nodes_only() {
        let (here, there, run) = (NodeId::new(), NodeId::new(), RunId::new());
        let hints = [Notification::Queued, Notification::Requested(run), Notification::Changed(run)];
        let text = written(here, &hints);
        assert_eq!(read(there, &text), hints);
        assert_eq!(read(here, &text), []);
        assert_eq!(read(there, &format!("{text} x17 c r1 é")), hints, "a newer version says more");
        assert_eq!(read(there, ""), []);
    }

    #[test]
    fn full_notification_fits() {
        let hints = vec![Notification::Changed(RunId::new()); MOST];
        assert!(written(NodeId::new(), &hints).len() < 7_900);
    }
}
