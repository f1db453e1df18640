//! Three long-running processes over real data: prices in a database, users in a CSV file, a backup. And two
//! that do nothing: one with a parameter of each kind, one that reports as much as it is told.

mod archive;
mod backup_system;
mod catalog;
mod csv_format;
mod data;
mod error;
mod generate;
#[cfg(doctest)]
mod guide;
mod import_users;
mod kitchen_sink;
mod metronome;
mod pace;
mod recalculate_prices;
mod records;
mod site;
mod users;

pub use backup_system::{Backup, BackupSystem, backup_system};
pub use catalog::{Catalog, PriceChange, Product, Repriced, reprice};
pub use csv_format::{Delimiter, Encoding};
pub use data::Data;
pub use error::Error;
pub use import_users::{Done, ImportUsers, ImportUsersInput, Imported, import_users};
pub use kitchen_sink::{
    Address, Colour, Delivery, KitchenSink, KitchenSinkInput, Line, Received, kitchen_sink,
};
pub use metronome::{Metronome, MetronomeInput, Ticked, metronome};
pub use pace::{Clock, Pace};
pub use recalculate_prices::{RecalculatePrices, Summary, recalculate_prices};
pub use site::Site;
pub use users::{Saved, User, Users};

#[cfg(test)]
mod tests {
    use process_runtime::Controller;

    use super::*;

    #[test]
    fn documented_processes_start_on_defaults() {
        let processes =
            [RecalculatePrices::PROCESS, ImportUsers::PROCESS, BackupSystem::PROCESS, Metronome::PROCESS];
        let routes = processes.map(|process| process.route());
        assert_eq!(routes, ["recalculate-prices", "import-users", "admin/backup-system", "demo/metronome"]);
        for field in processes.iter().flat_map(|process| process.fields()) {
            assert!(field.check(None).is_ok(), "{} needs a value", field.name);
        }
    }
}
