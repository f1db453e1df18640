//! The visited program: it is killed and stopped now and then, and restarted on the same folder.

use std::fs::OpenOptions;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;
use std::time::Duration;

use jiff::Timestamp;
use process_tests::load::{Child, descriptors, resident};
use tempfile::TempDir;
use tokio::sync::watch;

/// How long it may take to start, and to stop.
const SOON: Duration = Duration::from_secs(60);

/// One life of the program, from a start to the next.
#[derive(Debug, Clone, Default)]
pub(super) struct Life {
    pub(super) number: usize,
    /// `None` while it is on its way to its end, and until the next is up.
    pub(super) url: Option<String>,
    /// True when there will be no next.
    is_over: bool,
}

/// When a program was cut off, and when the next one was up.
#[derive(Debug, Clone, Copy)]
struct Cut {
    from: Timestamp,
    to: Timestamp,
}

pub(crate) struct Program {
    folder: TempDir,
    child: Mutex<Child>,
    life: watch::Sender<Life>,
    cuts: Mutex<Vec<Cut>>,
}

fn started(folder: &Path) -> (Child, String) {
    // What processes panic with is theirs.
    let said = OpenOptions::new().create(true).append(true).open(folder.join("said")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_load-child"));
    command.arg(folder.join("data")).env("PROCESS_TEST_ACCESS", "1").stderr(said);
    let child = Child::of(command);
    let addr = child.address(SOON).unwrap_or_else(|| panic!("no address within {SOON:?}"));
    (child, format!("http://{addr}"))
}

impl Program {
    pub(crate) fn start() -> Self {
        let folder = TempDir::new().unwrap();
        let (child, url) = started(folder.path());
        let life = watch::Sender::new(Life { number: 1, url: Some(url), is_over: false });
        Self { folder, child: Mutex::new(child), life, cuts: Mutex::default() }
    }

    pub(super) fn number(&self) -> usize {
        self.life.borrow().number
    }

    /// The program as soon as it is up; with no address if that will never be.
    pub(super) async fn up(&self) -> Life {
        let mut life = self.life.subscribe();
        let up = life.wait_for(|life| life.url.is_some() || life.is_over).await;
        up.map(|life| life.clone()).unwrap_or_default()
    }

    /// Ends it with these signals, one after the other, and starts the next. Blocks. An error is a fault of it.
    pub(crate) fn cut_off(&self, signals: &[&str]) -> Result<(), String> {
        let from = Timestamp::now();
        self.cuts.lock().unwrap().push(Cut { from, to: Timestamp::MAX });
        // Before the request, so that a visitor without a response knows the reason.
        self.life.send_modify(|life| (life.number, life.url) = (life.number + 1, None));
        let mut child = self.child.lock().unwrap();
        for signal in signals {
            child.signal(signal);
            std::thread::sleep(Duration::from_millis(50));
        }
        if child.ended(SOON).is_none() {
            self.life.send_modify(|life| (life.number, life.is_over) = (life.number + 1, true));
            return Err(format!("it has not ended {SOON:?} after {signals:?}"));
        }
        let url;
        (*child, url) = started(self.folder.path());
        if let Some(cut) = self.cuts.lock().unwrap().last_mut() {
            cut.to = Timestamp::now();
        }
        self.life.send_modify(|life| life.url = Some(url));
        Ok(())
    }

    pub(crate) fn cuts(&self) -> usize {
        self.cuts.lock().unwrap().len()
    }

    /// Whether it was cut off at some time between these.
    pub(super) fn was_cut_between(&self, from: Timestamp, to: Timestamp) -> bool {
        self.cuts.lock().unwrap().iter().any(|cut| cut.from <= to && from <= cut.to)
    }

    /// Its memory in bytes, and how many files and sockets it has open.
    pub(crate) fn usage(&self) -> (u64, usize) {
        let id = self.child.lock().unwrap().id();
        (resident(id), descriptors(id))
    }

    /// The last of its output.
    pub(crate) fn said(&self) -> String {
        let said = std::fs::read(self.folder.path().join("said")).unwrap_or_default();
        String::from_utf8_lossy(&said[said.len().saturating_sub(2_000)..]).into_owned()
    }
}
