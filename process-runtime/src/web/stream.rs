//! Server-sent events: what a client watches, its snapshot, and the response that carries them.

pub(super) mod held_body;
pub(super) mod messages;
pub(super) mod pending;
pub(super) mod response;
pub(super) mod snapshot;
pub(super) mod watching;
