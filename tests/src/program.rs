//! A separate program that serves the fixtures, on a free port, with a temporary data folder. The test passes its path,
//! because cargo tells only the test.

use std::io::{BufRead, BufReader};
use std::ops::Deref;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use crate::site::Site;

pub struct Program {
    site: Site,
    child: Child,
    _folder: TempDir,
}

impl Deref for Program {
    type Target = Site;

    fn deref(&self) -> &Site {
        &self.site
    }
}

impl Program {
    /// The program at this path, with names and values for its environment.
    pub fn start(path: &str, settings: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        let mut command = Command::new(path);
        command.arg(folder.path()).envs(settings.iter().copied()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut first = String::new();
        // Its first line is its address.
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
        let url = first.trim().trim_end_matches('/');
        assert!(url.starts_with("http://127.0.0.1:"), "{url:?}");
        Self { site: Site::at(url), child, _folder: folder }
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.url.rsplit(':').next().unwrap().parse().unwrap()
    }
}

/// No test leaves a process behind.
impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
