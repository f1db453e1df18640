//! Property tests: any value and any bytes round-trip, or are rejected with an explanation.
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
    // A failure that was found becomes a separate, named test.
    proptest::test_runner::Config {
        cases: asked.unwrap_or(cases),
        failure_persistence: None,
        ..proptest::test_runner::Config::default()
    }
}
