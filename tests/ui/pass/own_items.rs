//! An item of the author's in the body wins over the helper of the same name.
#![deny(warnings)]

use process_runtime::prelude::*;

#[process(title = "Own function")]
async fn own_function() -> Result<u8, std::fmt::Error> {
    fn log(number: u8) -> u8 {
        number
    }
    Ok(log(1))
}

#[process(title = "Own import")]
async fn own_import() -> Result<u8, std::fmt::Error> {
    use std::cmp::max as stage;
    Ok(stage(1, 2))
}

#[process(title = "Own variable")]
async fn own_variable() -> Result<u8, std::fmt::Error> {
    let warn = |number: u8| number + 1;
    let set_progress = warn(1);
    Ok(set_progress)
}

/// Names that the expansion might use, had it not its own.
#[process(title = "Own names")]
async fn own_names(invocation: u8, errors: u8, options: u8, #[field(default = PROCESS)] types: u8) {
    set_progress(invocation + errors + options + types + name + entry());
}

const PROCESS: u8 = 1;
#[allow(non_upper_case_globals)]
const name: u8 = 2;
fn entry() -> u8 {
    3
}

fn main() {
    let _ = (OwnFunction, OwnImport, OwnVariable, OwnNames);
}
