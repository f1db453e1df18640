//! Thousands of viewers on one thread: opening their connections, reading them, and saying how far they are.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Interest, Poll, Token};

use super::plan::{Plan, Said};
use super::reader::Reader;
use super::report::{Report, Span};
use super::scan::{Name, Seen};
use super::tally::{Tally, now};

/// What wakes the crowd and is no viewer.
pub(super) const WAKER: Token = Token(usize::MAX);
/// The most bytes of one read.
const BUFFER: usize = 256 << 10;
/// The read interval of slow viewers.
const SLOW_TICK: Duration = Duration::from_millis(100);
/// A server that does not accept a connection within this is not there.
const CONNECT: Duration = Duration::from_secs(10);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pace {
    Full,
    Slow,
    Silent,
}

struct Viewer {
    /// Gone when the connection is.
    socket: Option<TcpStream>,
    reader: Reader,
    pace: Pace,
    /// It has its answer; its first event; its end.
    answered: bool,
    begun: bool,
    ended: bool,
    lines: u64,
    current: Option<f64>,
    percent: Option<f64>,
}

/// All viewers, and how far they are.
pub(super) struct Crowd {
    plan: Plan,
    poll: Poll,
    said: Sender<Said>,
    viewers: Vec<Viewer>,
    tally: Tally,
    buffer: Vec<u8>,
    scratch: Vec<u8>,
    /// How many wait for their answer, by now.
    waiting: usize,
    /// How many of the viewers that are waited for have begun, have this wave's lines, and have ended.
    begun: usize,
    reached: usize,
    over: usize,
    /// How many lines each has when this wave is delivered.
    wave: u64,
    next_connect: Instant,
}

impl Crowd {
    pub(super) fn new(plan: Plan, poll: Poll, said: Sender<Said>) -> Self {
        Self {
            viewers: Vec::with_capacity(plan.viewers + plan.slow + plan.silent),
            wave: plan.lines_each,
            plan,
            poll,
            said,
            tally: Tally::new(),
            buffer: vec![0; BUFFER],
            scratch: Vec::with_capacity(BUFFER),
            waiting: 0,
            begun: 0,
            reached: 0,
            over: 0,
            next_connect: Instant::now(),
        }
    }

    /// Until all have ended, the crowd is woken, or the plan's time limit is reached.
    pub(super) fn watch(&mut self) -> io::Result<()> {
        let until = Instant::now() + self.plan.limit;
        let all = self.plan.viewers + self.plan.slow + self.plan.silent;
        let mut events = mio::Events::with_capacity(1_024);
        let mut next_slow = Instant::now();
        let mut ready = false;
        loop {
            self.connect(all)?;
            if !ready && self.begun == self.plan.viewers && self.viewers.len() == all {
                ready = true;
                let _ = self.said.send(Said::Ready);
            }
            while self.wave > 0 && self.reached == self.plan.viewers && self.plan.viewers > 0 {
                self.tally.wave();
                let _ = self.said.send(Said::Delivered);
                self.wave += self.plan.lines_each;
                let full = self.viewers.iter().filter(|viewer| viewer.pace == Pace::Full);
                self.reached = full.filter(|viewer| viewer.lines >= self.wave).count();
            }
            let through = self.plan.viewers > 0 && self.over == self.plan.viewers;
            if through || Instant::now() >= until {
                return Ok(());
            }
            let mut next = until;
            if self.viewers.len() < all && self.waiting < self.plan.at_once {
                next = next.min(self.next_connect);
            }
            if self.plan.slow > 0 {
                next = next.min(next_slow);
            }
            match self.poll.poll(&mut events, Some(next.saturating_duration_since(Instant::now()))) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => other?,
            }
            for event in &events {
                match event.token() {
                    WAKER => return Ok(()),
                    Token(index) => self.read(index, BUFFER, event.is_read_closed()),
                }
            }
            if self.plan.slow > 0 && Instant::now() >= next_slow {
                next_slow = Instant::now() + SLOW_TICK;
                let bytes = (self.plan.slow_bytes / 10).clamp(1, BUFFER);
                for index in 0..self.viewers.len() {
                    if self.viewers[index].pace == Pace::Slow {
                        self.read(index, bytes, false);
                    }
                }
            }
        }
    }

    /// Opens as many connections as allowed at the moment.
    fn connect(&mut self, all: usize) -> io::Result<()> {
        while self.viewers.len() < all
            && self.waiting < self.plan.at_once
            && Instant::now() >= self.next_connect
        {
            if let Some(rate) = self.plan.connects_per_second {
                self.next_connect += Duration::from_secs_f64(1.0 / rate);
            }
            let index = self.viewers.len();
            let pace = match index {
                index if index < self.plan.silent => Pace::Silent,
                index if index < self.plan.silent + self.plan.slow => Pace::Slow,
                _ => Pace::Full,
            };
            let socket = match self.open(index) {
                Ok(mut socket) => {
                    if pace == Pace::Full {
                        self.poll.registry().register(&mut socket, Token(index), Interest::READABLE)?;
                        self.waiting += 1;
                    }
                    self.tally.report.connected += 1;
                    Some(socket)
                }
                Err(error) => {
                    self.tally.error(error);
                    self.over += usize::from(pace == Pace::Full);
                    None
                }
            };
            self.viewers.push(Viewer {
                socket,
                reader: Reader::default(),
                pace,
                answered: false,
                begun: false,
                ended: false,
                lines: 0,
                current: None,
                percent: None,
            });
        }
        Ok(())
    }

    /// On one machine, a connection opens immediately, and a request fits into an empty socket buffer.
    fn open(&self, index: usize) -> io::Result<TcpStream> {
        let mut socket = std::net::TcpStream::connect_timeout(&self.plan.addr, CONNECT)?;
        let path = &self.plan.paths[index % self.plan.paths.len()];
        let host = self.plan.addr;
        let request = format!("GET {path} HTTP/1.1\r\nhost: {host}\r\naccept: text/event-stream\r\n\r\n");
        socket.write_all(request.as_bytes())?;
        socket.set_nonblocking(true)?;
        Ok(TcpStream::from_std(socket))
    }

    /// Reads what is available, or a part of it.
    fn read(&mut self, index: usize, limit: usize, to_the_end: bool) {
        let viewer = &mut self.viewers[index];
        let Some(socket) = &mut viewer.socket else { return };
        let (mut events, mut closed) = (false, None);
        loop {
            match socket.read(&mut self.buffer[..limit]) {
                Ok(0) => closed = Some(None),
                Ok(count) => {
                    self.tally.report.bytes += count as u64;
                    let now = now();
                    let (tally, lines) = (&mut self.tally, viewer.lines);
                    viewer.reader.read(&self.buffer[..count], &mut self.scratch, |seen| match seen {
                        Seen::Line(stamp) => {
                            viewer.lines += 1;
                            tally.line(stamp, now);
                        }
                        Seen::OldLine(stamp) => {
                            viewer.lines += 1;
                            tally.old_line(stamp);
                        }
                        Seen::Current(current) => viewer.current = Some(current),
                        Seen::Percent(percent) => viewer.percent = Some(percent),
                        Seen::Event(name) => {
                            events = true;
                            viewer.ended |= name == Name::End;
                            tally.event(name);
                        }
                    });
                    if viewer.pace == Pace::Full && lines < self.wave && viewer.lines >= self.wave {
                        self.reached += 1;
                    }
                    // A short read: there is no more data.
                    if viewer.pace == Pace::Full && (to_the_end || count == limit) {
                        continue;
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => closed = Some(Some(error)),
            }
            break;
        }
        self.after_read(index, events, closed);
    }

    /// Counts what became of a viewer by a read: whether it brought events, and whether and why the connection
    /// is gone.
    #[expect(clippy::option_option, reason = "still open, closed, or failed")]
    fn after_read(&mut self, index: usize, events: bool, closed: Option<Option<io::Error>>) {
        let viewer = &mut self.viewers[index];
        let is_full = viewer.pace == Pace::Full;
        let status = viewer.reader.frames.status();
        let refused = status != 200 && status != 0 || viewer.reader.frames.is_broken();
        if !viewer.answered && (status != 0 || closed.is_some() || refused) {
            viewer.answered = true;
            self.waiting -= usize::from(is_full);
            self.tally.report.answered += u64::from(status == 200);
        }
        if events && !viewer.begun {
            viewer.begun = true;
            self.begun += usize::from(is_full);
        }
        if refused {
            self.tally.error(format!("answered with {status}"));
        }
        let over = viewer.reader.frames.is_over();
        let Some(why) = closed.or_else(|| (refused || over).then_some(None)) else { return };
        if let Some(error) = why {
            self.tally.error(error);
        }
        viewer.socket = None;
        self.tally.report.closed += 1;
        self.over += usize::from(is_full);
    }

    pub(super) fn report(self) -> Report {
        let mut report = self.tally.finish();
        report.ended = self.viewers.iter().filter(|viewer| viewer.ended).count() as u64;
        report.current = Span::of(self.viewers.iter().map(|viewer| viewer.current));
        report.percent = Span::of(self.viewers.iter().map(|viewer| viewer.percent));
        report
    }
}
