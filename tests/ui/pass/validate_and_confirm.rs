//! A function that looks at all inputs together, and a question before the start.
#![deny(warnings, missing_docs)]

use process_runtime::field::FieldErrors;
use process_runtime::prelude::*;

#[process(
    title = "Changing prices",
    confirm = "Really change every price?",
    validate = check_bounds,
)]
async fn change_prices(database: State<String>, least: f64, most: Option<f64>) {
    let _ = (database, least, most);
}

fn check_bounds(input: &ChangePricesInput) -> Result<(), FieldErrors> {
    match input.most {
        Some(most) if most < input.least => Err(FieldErrors::at("most", "it is below the least")),
        _ => Ok(()),
    }
}

mod checks {
    /// Anything that becomes an error of the form will do.
    pub(crate) fn weekday(_: &()) -> Result<(), &'static str> {
        Ok(())
    }

    pub(crate) fn text(input: &super::RenameInput) -> Result<(), String> {
        if input.name.is_empty() { Err("nothing".to_owned()) } else { Ok(()) }
    }

    pub(crate) fn anything<T>(_: &T) -> Result<(), process_runtime::field::FieldErrors> {
        Ok(())
    }
}

#[process(title = "Without fields", validate = checks::weekday)]
async fn without_fields() {}

#[process(title = "Renaming", validate = crate::checks::text)]
async fn rename(name: String) {
    log(name);
}

#[process(title = "A generic check", validate = checks::anything::<GenericInput>)]
async fn generic(number: u8) {
    let _ = number;
}

fn main() {
    #[process(title = "In a body", validate = check)]
    async fn in_a_body(number: u8) {
        let _ = number;
    }

    fn check(input: &InABodyInput) -> Result<(), FieldErrors> {
        let _ = input.number;
        Ok(())
    }

    assert_eq!(ChangePrices::PROCESS.confirm, Some("Really change every price?"));
    assert_eq!(WithoutFields::PROCESS.confirm, None);
    let _ = (Rename, Generic, InABody);
}
