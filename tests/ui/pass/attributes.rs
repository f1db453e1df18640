//! Attributes of the function, its parameters and its body keep their meaning.
#![deny(warnings)]

use process_runtime::prelude::*;

#[process(title = "Allowed")]
#[allow(unused_variables, clippy::needless_pass_by_value)]
#[must_use = "a future does nothing by itself"]
async fn allowed(left: u8, #[allow(unused_mut)] mut right: u8) {
    let unused = 1;
}

#[process(title = "Inner")]
async fn inner() {
    #![allow(unused_variables)]
    let unused = 1;
    set_progress(1);
}

/// Still runs, but nobody should call it.
#[process(title = "Old")]
#[deprecated = "use `allowed`"]
async fn old() {}

#[process(title = "Never there")]
#[cfg(any())]
async fn never_there(missing: NoSuchType) {}

#[cfg(any())]
#[process(title = "Never there")]
async fn never_there_either(missing: NoSuchType) {}

#[process(title = "Always there")]
#[cfg(any(unix, windows))]
async fn always_there() {}

fn main() {
    assert_eq!(Allowed::PROCESS.fields().len(), 2);
    assert_eq!(Inner::PROCESS.title, "Inner");
    assert_eq!(Old::PROCESS.description, "Still runs, but nobody should call it.");
    assert_eq!(AlwaysThere::PROCESS.title, "Always there");
}
