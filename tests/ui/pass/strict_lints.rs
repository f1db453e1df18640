//! A crate with strict lints: nothing in the expansion needs an exception.
#![deny(warnings, missing_docs, unreachable_pub, rust_2018_idioms, unused_qualifications)]
#![deny(missing_debug_implementations, missing_copy_implementations, unused_results)]
#![forbid(unsafe_code)]

/// What can be imported.
pub mod imports {
    use process_runtime::prelude::*;

    /// The users.
    #[derive(Debug, Clone, Copy)]
    pub struct Users(u32);

    /// Imports [`Users`] from a file.
    ///
    /// Broken lines are reported.
    #[process(title = "Importing users", group = "imports")]
    pub async fn import_users(
        users: State<Users>,
        #[field(label = "The file", help = "A name")] file: String,
    ) -> Result<u32, std::fmt::Error> {
        log(file);
        Ok(users.0)
    }

    /// Imports nothing, on one line.
    #[process(title = "Importing nothing")]
    #[rustfmt::skip]
    pub async fn import_nothing(_percent: f64, _b: u8, _c: u8, _d: u8, _e: u8, _f: u8, _g: u8) { set_progress(1) }
}

fn main() {
    use process_runtime::Controller;
    let process = imports::ImportUsers::PROCESS;
    assert_eq!(process.description, "Imports [`Users`] from a file.\n\nBroken lines are reported.");
}
