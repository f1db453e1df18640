//! A facade or a renamed dependency: `crate = path` says where the runtime is.
#![deny(warnings)]

extern crate process_runtime as renamed;

mod facade {
    pub use process_runtime as jobs;
}

mod process_runtime_is_elsewhere {
    use super::facade::jobs::prelude::*;

    #[process(title = "Through a facade", crate = super::facade::jobs)]
    pub async fn facaded(percent: f64) -> Result<(), std::fmt::Error> {
        set_progress(percent);
        Ok(())
    }
}

#[renamed::process(title = "Renamed", crate = crate::renamed)]
async fn with_new_name() {
    set_progress(1);
}

fn main() {
    use renamed::Controller;
    assert_eq!(WithNewName::PROCESS.title, "Renamed");
    assert_eq!(process_runtime_is_elsewhere::Facaded::PROCESS.title, "Through a facade");
    drop(process_runtime_is_elsewhere::facaded(1.0));
}
