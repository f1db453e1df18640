//! The controller is as visible as the function.
#![deny(warnings, unreachable_pub)]

mod jobs {
    use process_runtime::prelude::*;

    #[process(title = "Open")]
    pub(crate) async fn open() {}

    #[process(title = "Beside")]
    pub(super) async fn beside() {}

    #[process(title = "Own")]
    async fn own() {
        other().await;
    }

    /// Not used by anybody but the runtime.
    #[process(title = "Other")]
    pub(in crate::jobs) async fn other() {}

    pub(super) fn all() -> [&'static str; 2] {
        [Own::PROCESS.name, Other::PROCESS.name]
    }
}

use process_runtime::Controller;

fn main() {
    let open = jobs::Open;
    assert_eq!(format!("{open:?}"), "Open");
    assert_eq!(jobs::Open::PROCESS.name, "Open");
    assert_eq!(jobs::Beside::PROCESS.name, "Beside");
    assert_eq!(jobs::all(), ["Own", "Other"]);
    drop((jobs::open(), jobs::beside()));
}
