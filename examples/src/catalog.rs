//! The product table: reading it, and changing prices all at once or not at all.

use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, params};
use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::error::Error;
use crate::generate;

/// The range of prices, so that no sum of prices overflows.
const CENTS: std::ops::RangeInclusive<i64> = 1..=99_999_999_999;

/// A product and its price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Product {
    /// The product id.
    pub id: i64,
    /// The name.
    pub name: String,
    /// The price of one piece, in cents.
    pub price_cents: i64,
    /// The number of pieces in stock.
    pub stock: i64,
}

/// The result of a price change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repriced {
    /// The new price, in cents.
    To(i64),
    /// The change is less than a cent.
    Unchanged,
    /// The new price would be below a cent or absurdly high, so the old one stays.
    Refused,
}

/// The product table, in SQLite.
///
/// SQLite blocks the calling thread. Each call takes microseconds, or some milliseconds for the whole
/// table, and each run has its own thread, so no other run waits.
#[derive(Debug, Clone)]
pub struct Catalog {
    connection: Arc<Mutex<Connection>>,
}

impl Catalog {
    /// Opens the catalog in this file. A new one is filled with sample products.
    ///
    /// # Errors
    ///
    /// When SQLite cannot open, read or write the file.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let mut connection = Connection::open(path)?;
        // Other connections can read the old prices while new ones are written.
        connection.pragma_update(None, "journal_mode", "wal")?;
        let transaction = connection.transaction()?;
        transaction.execute_batch(
            "CREATE TABLE IF NOT EXISTS products (
                id INTEGER PRIMARY KEY,
                name TEXT NOT NULL,
                price_cents INTEGER NOT NULL CHECK (price_cents > 0),
                stock INTEGER NOT NULL
            ) STRICT",
        )?;
        let count: i64 = transaction.query_row("SELECT count(*) FROM products", [], |row| row.get(0))?;
        if count == 0 {
            let insert = "INSERT INTO products (name, price_cents, stock) VALUES (?1, ?2, ?3)";
            let mut insert = transaction.prepare(insert)?;
            for product in generate::products() {
                insert.execute(params![product.name, product.price_cents, product.stock])?;
            }
        }
        transaction.commit()?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)) })
    }

    /// Every product, by number. Waits while a change of prices is under way.
    ///
    /// # Errors
    ///
    /// When SQLite cannot read the table.
    pub async fn products(&self) -> Result<Vec<Product>, Error> {
        products(&*self.connection.lock().await)
    }

    /// Begins to change prices. Waits until another change that is under way has ended.
    ///
    /// # Errors
    ///
    /// When SQLite cannot begin to write.
    pub async fn change_prices(&self) -> Result<PriceChange, Error> {
        let connection = Arc::clone(&self.connection).lock_owned().await;
        connection.execute_batch("BEGIN IMMEDIATE")?;
        Ok(PriceChange { connection, committed: false })
    }
}

/// A change of prices that takes effect when it is committed.
///
/// Dropped without that, because the run was cancelled or failed, it leaves every price as it was. So a
/// run can be repeated: no product is ever raised twice.
#[derive(Debug)]
pub struct PriceChange {
    // rusqlite's own `Transaction` borrows the connection, which could not be kept across an await.
    connection: OwnedMutexGuard<Connection>,
    committed: bool,
}

impl PriceChange {
    /// Every product as it is at this point of the change.
    ///
    /// # Errors
    ///
    /// When SQLite cannot read the table.
    pub fn products(&self) -> Result<Vec<Product>, Error> {
        products(&self.connection)
    }

    /// Changes the price of one product by so many percent. [`reprice`] has the rule for the cents.
    ///
    /// # Errors
    ///
    /// When SQLite cannot write the row.
    pub fn reprice(&mut self, product: &Product, percent: f64) -> Result<Repriced, Error> {
        let repriced = reprice(product.price_cents, percent);
        if let Repriced::To(cents) = repriced {
            let update = "UPDATE products SET price_cents = ?2 WHERE id = ?1";
            self.connection.prepare_cached(update)?.execute([product.id, cents])?;
        }
        Ok(repriced)
    }

    /// Commits the change.
    ///
    /// # Errors
    ///
    /// When SQLite cannot write it; then nothing has changed.
    pub fn commit(mut self) -> Result<(), Error> {
        self.connection.execute_batch("COMMIT")?;
        self.committed = true;
        Ok(())
    }
}

impl Drop for PriceChange {
    fn drop(&mut self) {
        if !self.committed {
            // If this fails, SQLite has rolled back already: nothing that is not committed survives.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }
}

/// The new price in cents.
///
/// The percentage counts to four decimals; from there on the arithmetic is exact. Half a cent is rounded
/// up.
pub fn reprice(cents: i64, percent: f64) -> Repriced {
    // From a float to an integer the conversion saturates; 128 bits then hold every product of two.
    let millionths = 1_000_000 + i128::from((percent * 10_000.0).round() as i64);
    let new = (i128::from(cents) * millionths + 500_000).div_euclid(1_000_000);
    match i64::try_from(new) {
        Ok(new) if new == cents => Repriced::Unchanged,
        Ok(new) if CENTS.contains(&new) => Repriced::To(new),
        _ => Repriced::Refused,
    }
}

fn products(connection: &Connection) -> Result<Vec<Product>, Error> {
    let mut select =
        connection.prepare_cached("SELECT id, name, price_cents, stock FROM products ORDER BY id")?;
    let rows = select.query_map([], |row| {
        Ok(Product { id: row.get(0)?, name: row.get(1)?, price_cents: row.get(2)?, stock: row.get(3)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_round_half_up() {
        assert_eq!(reprice(100, 2.5), Repriced::To(103));
        assert_eq!(reprice(1_000, 2.5), Repriced::To(1_025));
        assert_eq!(reprice(1_005, 10.0), Repriced::To(1_106));
        assert_eq!(reprice(105, -10.0), Repriced::To(95));
        // 0.1 has no exact binary form; its cents have.
        assert_eq!(reprice(5_000, 0.01), Repriced::To(5_001));
        assert_eq!(reprice(9_007_199_254, 0.1), Repriced::To(9_016_206_453));
    }

    #[test]
    fn prices_stay_within_bounds() {
        assert_eq!(reprice(1, 2.5), Repriced::Unchanged);
        assert_eq!(reprice(4, -90.0), Repriced::Refused);
        assert_eq!(reprice(99_999_999_999, 1_000.0), Repriced::Refused);
        assert_eq!(reprice(99, f64::NAN), Repriced::Unchanged);
        assert_eq!(reprice(99, f64::INFINITY), Repriced::Refused);
        assert_eq!(reprice(i64::MAX, f64::MAX), Repriced::Refused);
    }

    #[tokio::test]
    async fn uncommitted_change_rolls_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("catalog.sqlite3");
        let catalog = Catalog::open(&path).unwrap();
        let before = catalog.products().await.unwrap();
        assert_eq!(before.len(), generate::PRODUCTS);

        let mut change = catalog.change_prices().await.unwrap();
        change.reprice(&before[0], 50.0).unwrap();
        assert_ne!(change.products().unwrap(), before);
        drop(change);
        assert_eq!(catalog.products().await.unwrap(), before);

        let mut change = catalog.change_prices().await.unwrap();
        change.reprice(&before[0], 50.0).unwrap();
        change.commit().unwrap();
        drop(catalog);
        // Opened again it is the same catalog, not a new one.
        let after = Catalog::open(&path).unwrap().products().await.unwrap();
        assert_ne!(after[0], before[0]);
        assert_eq!(after[1..], before[1..]);
    }
}
