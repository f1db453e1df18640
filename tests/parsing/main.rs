//! What is promised of any value and any bytes: they come back as they were, or are refused in words.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

mod anything;
mod bodies;
mod forms;
mod given;
mod heads;
mod redirects;
mod values;

/// How many cases are tried; the environment's `PROPTEST_CASES` counts instead.
fn cases(cases: u32) -> proptest::test_runner::Config {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    // What was found once is a test of its own, with a name.
    proptest::test_runner::Config {
        cases: asked.unwrap_or(cases),
        failure_persistence: None,
        ..proptest::test_runner::Config::default()
    }
}
