//! Names the library, so its processes are found. Prints every route.

// This line is what keeps them.
use linking_jobs as _;
use process_runtime::prelude::*;

#[process(title = "In the binary")]
async fn in_binary() {}

#[expect(clippy::print_stdout, reason = "the test reads it")]
fn main() -> Result<(), process_runtime::registry::RegistryError> {
    for process in process_runtime::registry::Registry::collect()?.iter() {
        println!("{}", process.route());
    }
    Ok(())
}
