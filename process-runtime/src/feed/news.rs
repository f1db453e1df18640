//! Owns how a viewer waits: woken by whatever is new, however much it was and whenever it looks.
//! Refuses to know what is new.

use std::future::poll_fn;
use std::task::{Context, Poll};

use tokio::sync::watch;
use tokio_util::sync::ReusableBoxFuture;

/// Says when there is something new in a feed. What came while nobody waited counts too.
#[derive(Debug)]
pub(crate) struct News(ReusableBoxFuture<'static, Option<watch::Receiver<()>>>);

impl News {
    pub(super) fn of(changed: watch::Receiver<()>) -> Self {
        Self(ReusableBoxFuture::new(next(changed)))
    }

    /// Ready once for all that is new since the last time.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        // The feed is gone only when nobody views it: then nothing is new, ever.
        let Poll::Ready(Some(changed)) = self.0.poll(context) else { return Poll::Pending };
        self.0.set(next(changed));
        Poll::Ready(())
    }

    /// Waits for something new.
    pub(crate) async fn next(&mut self) {
        poll_fn(|context| self.poll(context)).await;
    }
}

async fn next(mut changed: watch::Receiver<()>) -> Option<watch::Receiver<()>> {
    match changed.changed().await {
        Ok(()) => Some(changed),
        Err(_) => std::future::pending().await,
    }
}
