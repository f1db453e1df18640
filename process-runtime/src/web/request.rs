//! What routes need to know about a request: visitor, mount, language and body.

pub(super) mod accept;
pub(super) mod active;
pub(super) mod authorize;
pub(super) mod body;
pub(super) mod conditional;
pub(super) mod context;
pub(super) mod cookies;
pub(super) mod form;
pub(super) mod forwarded;
pub(super) mod guard;
pub(super) mod head_limits;
pub(super) mod input_limits;
pub(super) mod json;
pub(super) mod kept_files;
pub(super) mod language;
pub(super) mod observe;
pub(super) mod origin;
pub(super) mod paced;
pub(super) mod path;
pub(super) mod position;
pub(super) mod problem;
pub(super) mod process_path;
pub(super) mod query;
pub(super) mod rights;
pub(super) mod share_link;
pub(super) mod timed;
