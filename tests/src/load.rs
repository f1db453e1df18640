//! Load measurement: a client with thousands of viewers on one thread, commands for the measured servers, and resource
//! usage.

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

/// The nchan module of nginx: at `NCHAN_MODULE`, or where Debian installs it.
pub fn nchan_module() -> Option<std::path::PathBuf> {
    let module = std::env::var_os("NCHAN_MODULE");
    let module = module.unwrap_or_else(|| "/usr/lib/nginx/modules/ngx_nchan_module.so".into());
    Some(std::path::PathBuf::from(module)).filter(|module| module.exists())
}
