//! A program in its own process, pinned to a core, that communicates in lines.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// A program that is gone when this is.
#[derive(Debug)]
pub struct Child {
    process: std::process::Child,
    stdin: Option<ChildStdin>,
    said: Receiver<String>,
    pub started: Instant,
}

impl Child {
    /// Starts a program; on this core alone, where `taskset` is there to see to it.
    pub fn start(program: &Path, core: Option<usize>, arguments: &[impl AsRef<OsStr>]) -> Self {
        let mut command = match core {
            Some(core) => {
                let mut command = Command::new("taskset");
                command.args(["-c", &core.to_string()]).arg(program);
                command
            }
            None => Command::new(program),
        };
        command.args(arguments);
        Self::of(command)
    }

    /// Starts a program that also reads standard input.
    pub fn of(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let started = Instant::now();
        let mut process = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdout = BufReader::new(process.stdout.take().unwrap());
        let (sender, said) = channel();
        std::thread::spawn(move || {
            // Read to its end even without a listener, so that the program never blocks.
            for line in stdout.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        Self { stdin: process.stdin.take(), process, said, started }
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Sends it a line. Ignored if the program has exited.
    pub fn tell(&mut self, line: &str) {
        if let Some(stdin) = &mut self.stdin {
            let _ = writeln!(stdin, "{line}");
        }
    }

    /// Its next line; `None` if there is none within this time.
    pub fn line(&self, within: Duration) -> Option<String> {
        self.said.recv_timeout(within).ok()
    }

    /// The first line that begins like this, however many others come before.
    pub fn line_with(&self, beginning: &str, within: Duration) -> Option<String> {
        let until = Instant::now() + within;
        while let Some(line) = self.line(until.saturating_duration_since(Instant::now())) {
            if line.starts_with(beginning) {
                return Some(line);
            }
        }
        None
    }

    /// The address that it prints.
    pub fn address(&self, within: Duration) -> Option<SocketAddr> {
        let line = self.line_with("http://", within)?;
        line.trim_start_matches("http://").trim_end_matches('/').parse().ok()
    }

    /// Sends a signal, such as `KILL`. A program that is gone gets none.
    pub fn signal(&self, name: &str) {
        let _ = Command::new("kill").args([&format!("-{name}"), &self.id().to_string()]).status();
    }

    /// How it has ended, if it does so within this time.
    pub fn ended(&mut self, within: Duration) -> Option<ExitStatus> {
        let until = Instant::now() + within;
        loop {
            match self.process.try_wait() {
                Ok(None) if Instant::now() < until => std::thread::sleep(Duration::from_millis(5)),
                status => return status.ok().flatten(),
            }
        }
    }

    /// Closes its standard input: our programs end then.
    pub fn hang_up(&mut self) {
        self.stdin = None;
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        self.hang_up();
        let until = Instant::now() + Duration::from_secs(2);
        while matches!((self.process.try_wait(), Instant::now() < until), (Ok(None), true)) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
