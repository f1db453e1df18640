//! Processes in nested, private and inline modules and in the bodies of functions: all are registered.
#![deny(warnings)]

use process_runtime::__private::{Registration, inventory};
use process_runtime::Controller;

mod outer {
    use process_runtime::prelude::*;

    pub struct Db;

    #[process(title = "Outer")]
    pub async fn outer_step(db: State<Db>) {
        let _ = db;
    }

    pub mod inner {
        use super::Db;

        #[process_runtime::process(title = "Inner", group = "admin")]
        pub(super) async fn inner_step(db: process_runtime::State<Db>) {
            let _ = db;
        }

        mod hidden {
            /// The same name as outside, in a module of its own.
            #[process_runtime::process(title = "Hidden", route = "hidden-step")]
            async fn outer_step() {
                set_progress(1);
            }
        }
    }

    pub fn routes() -> [String; 2] {
        [OuterStep::PROCESS.route(), inner::InnerStep::PROCESS.route()]
    }
}

fn in_a_body() -> String {
    struct Local;

    fn usual() -> u8 {
        7
    }

    #[process_runtime::process(title = "Local")]
    async fn local_step(local: process_runtime::State<Local>, #[field(default = usual())] count: u8) {
        let _ = local;
        set_progress(count);
    }

    LocalStep::PROCESS.route()
}

fn main() {
    assert_eq!(outer::routes(), ["outer-step", "admin/inner-step"]);
    assert_eq!(in_a_body(), "local-step");
    let mut found: Vec<_> =
        inventory::iter::<Registration>().map(|Registration(found)| found.route()).collect();
    found.sort();
    assert_eq!(found, ["admin/inner-step", "hidden-step", "local-step", "outer-step"]);
}
