//! A start from code with the typed input, whatever is private about it and wherever the process stands.
#![deny(warnings, missing_docs)]

use process_runtime::prelude::*;
use process_runtime::{Processes, StartError};

#[derive(Field)]
struct Address {
    street: String,
}

mod hidden {
    use super::Address;
    use process_runtime::prelude::*;

    /// Public, as far as its module is, with a private type.
    #[process(title = "Public")]
    pub async fn public(address: Address, percent: f64) {
        let _ = (address.street, percent);
    }
}

use hidden::{Public, PublicInput};

#[process(title = "Private")]
async fn private(address: Option<Address>, database: State<String>, #[field(default = 1)] number: u8) {
    let _ = (address, database, number);
}

#[process(title = "Of the crate")]
pub(crate) async fn of_the_crate(r#type: String) {
    log(r#type);
}

#[process(title = "Without fields")]
async fn without_fields(database: State<String>, progress: Progress) {
    let _ = (database, progress);
}

mod inner {
    use process_runtime::prelude::*;

    #[derive(Field)]
    pub(super) struct Limit {
        pub(super) most: u8,
    }

    #[process(title = "In a module", name = HTTPSync)]
    pub(super) async fn in_a_module(limit: Limit) {
        set_progress(limit.most);
    }
}

macro_rules! importing {
    ($function:ident, $name:ident: $ty:ty) => {
        #[process(title = "Made by a macro")]
        async fn $function($name: $ty) {
            let _ = $name;
        }
    };
}

importing!(import_users, file: String);

/// A type of the author's that is called like the struct of the inputs wins over it.
struct ImportOrdersInput;

#[process(title = "Importing orders")]
async fn import_orders(file: String) {
    let _ = ImportOrdersInput;
    log(file);
}

/// The same of one that is a field.
#[derive(Field)]
struct ImportTagsInput {
    tag: String,
}

#[process(title = "Importing tags")]
async fn import_tags(tags: Vec<ImportTagsInput>) {
    let _ = tags.into_iter().map(|one| one.tag);
}

async fn start(processes: &Processes) -> Result<(), StartError> {
    let address = Address { street: "Main".into() };
    Public::start(processes, PublicInput { address, percent: 2.5 }).await?;
    Private::start(processes, PrivateInput { address: None, number: 3 }).await?;
    OfTheCrate::start(processes, OfTheCrateInput { r#type: "x".into() }).await?;
    WithoutFields::start(processes, ()).await?;
    let input = inner::HTTPSyncInput { limit: inner::Limit { most: 1 } };
    inner::HTTPSync::start(processes, input).await?;
    ImportUsers::start(processes, ImportUsersInput { file: "users.csv".into() }).await?;

    #[derive(Field)]
    enum Local {
        One,
    }

    #[process(title = "In a body")]
    async fn in_a_body(local: Local) {
        let Local::One = local;
    }

    InABody::start(processes, InABodyInput { local: Local::One }).await?;
    let taken_apart = |PublicInput { address, percent }: PublicInput| (address.street, percent);
    let _ = taken_apart;
    Ok(())
}

fn main() {
    let _ = start;
    let _ = (ImportOrders::start, ImportTags::start);
}
