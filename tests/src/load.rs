//! Owns measuring under load: a client that is thousands of viewers on one thread, what the measured servers
//! are told, and what a program has used of the machine.
//! Refuses to know which servers are compared, and what good figures are.

mod asked;
mod child;
mod frames;
mod reader;
mod report;
mod request;
mod scan;
mod tally;
mod usage;
mod viewers;

pub use asked::{Asked, Pace, Rounds, stamped};
pub use child::Child;
pub use frames::Frames;
pub use reader::Reader;
pub use report::{Counts, Latency, Report, Span};
pub use request::{Answer, request};
pub use scan::{Events, Name, Seen};
pub use usage::{cpu, rss};
pub use viewers::{Plan, Said, Stopper, Viewers};

/// Where Debian puts the module that makes nginx a server of streams.
pub const NCHAN: &str = "/usr/lib/nginx/modules/ngx_nchan_module.so";
