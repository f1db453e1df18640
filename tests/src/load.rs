//! Measuring under load: a client that is thousands of viewers on one thread, what the measured servers are told, and
//! what a program has used of the machine.

mod asked;
mod child;
mod crowd;
mod frames;
mod plan;
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
pub use plan::{Plan, Said};
pub use reader::Reader;
pub use report::{Counts, Latency, Report, Span};
pub use request::{Answer, request};
pub use scan::{Events, Name, Seen};
pub use usage::{cpu, descriptors, resident, rss};
pub use viewers::{Stopper, Viewers};

/// The module that makes nginx a server of streams: where `NCHAN_MODULE` says, or where Debian puts it.
pub fn nchan_module() -> Option<std::path::PathBuf> {
    let module = std::env::var_os("NCHAN_MODULE");
    let module = module.unwrap_or_else(|| "/usr/lib/nginx/modules/ngx_nchan_module.so".into());
    Some(std::path::PathBuf::from(module)).filter(|module| module.exists())
}
