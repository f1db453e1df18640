//! Shared test code: processes with every kind of behaviour, servers for them, and a parser of streams that is
//! independent of the runtime.
#![allow(missing_docs, clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "only tests use it")]

pub mod chance;
pub mod changing;
pub mod conformance;
pub mod events;
pub mod fields;
pub mod figures;
pub mod fixtures;
pub mod forms;
pub mod held;
pub mod load;
pub mod logging;
pub mod long_log;
pub mod payloads;
pub mod plain;
pub mod program;
pub mod raw;
pub mod server;
pub mod site;
pub mod stepwise;
pub mod strange;
pub mod survivors;
pub mod wire;

pub use chance::Chance;
pub use events::{Event, Events};
pub use forms::Multipart;
pub use program::Program;
pub use server::Server;
pub use site::Site;
