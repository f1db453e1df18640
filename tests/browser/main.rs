//! Runs the browser tests when asked to, and otherwise says that they were left out.
fn main() {}
