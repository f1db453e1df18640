//! Processes that a macro of the author's writes.
#![deny(warnings)]

use process_runtime::prelude::*;

macro_rules! import {
    ($(#[$attribute:meta])* $name:ident, $title:literal, $kind:ty, $body:block) => {
        $(#[$attribute])*
        #[process(title = $title)]
        #[allow(unused_variables)]
        async fn $name(#[field(label = $title)] file: $kind) -> Result<(), std::fmt::Error> $body
    };
}

import!(
    /// Imports users.
    import_users,
    "Importing users",
    String,
    {
        set_progress(1);
        Ok(())
    }
);

import!(import_orders, "Importing orders", Option<String>, {
    log("orders");
    Ok(())
});

macro_rules! report {
    ($name:ident, $kind:ident, $usual:expr, $returned:ident) => {
        #[process(title = "Reporting")]
        async fn $name(
            catalog: State<$kind>,
            #[field(default = $usual)] limit: Option<$returned>,
        ) -> Result<$returned, std::fmt::Error> {
            log(catalog.0);
            Ok(limit.unwrap_or_default())
        }
    };
}

struct Catalog(&'static str);

report!(report_products, Catalog, usual() + 1, u8);

fn usual() -> u8 {
    1
}

fn main() {
    assert_eq!(ImportUsers::PROCESS.description, "Imports users.");
    assert_eq!(ImportUsers::PROCESS.title, "Importing users");
    assert_eq!(ImportOrders::PROCESS.fields().len(), 1);
    assert_eq!(ReportProducts::PROCESS.fields()[0].default, Some(serde_json::json!(2)));
    assert_eq!(ImportOrders::PROCESS.location.line, 26);
}
