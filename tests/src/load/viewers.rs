//! The thread that runs a crowd, its notifications, and its stop handle.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use mio::{Poll, Waker};

use super::crowd::{Crowd, WAKER};
use super::plan::{Plan, Said};
use super::report::Report;

/// Viewers on a thread of their own.
#[derive(Debug)]
pub struct Viewers {
    said: Receiver<Said>,
    stopper: Stopper,
    thread: JoinHandle<io::Result<Report>>,
}

/// Ends the viewers from elsewhere.
#[derive(Debug, Clone)]
pub struct Stopper(Arc<Waker>);

impl Stopper {
    pub fn stop(&self) {
        let _ = self.0.wake();
    }
}

impl Viewers {
    /// Begins to open connections. It is over when all have ended, when it is stopped, or at the plan's limit.
    pub fn open(plan: Plan) -> io::Result<Self> {
        let poll = Poll::new()?;
        let stopper = Stopper(Arc::new(Waker::new(poll.registry(), WAKER)?));
        let (sender, said) = channel();
        let thread = thread::Builder::new().name("viewers".into()).spawn(move || {
            let mut crowd = Crowd::new(plan, poll, sender);
            crowd.watch()?;
            Ok(crowd.report())
        })?;
        Ok(Self { said, stopper, thread })
    }

    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// The next notification; `None` at the end or after this time.
    pub fn next(&self, within: Duration) -> Option<Said> {
        self.said.recv_timeout(within).ok()
    }

    /// Waits until it is over.
    pub fn report(self) -> io::Result<Report> {
        self.thread.join().unwrap_or_else(|_| Err(io::Error::other("the viewers panicked")))
    }
}
