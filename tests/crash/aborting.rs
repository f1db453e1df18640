//! The same server, for builds in which panics abort.

use std::error::Error;

#[path = "child.rs"]
mod child;

fn main() -> Result<(), Box<dyn Error>> {
    child::main()
}
