//! The process that changes every price of the catalog.

use process_runtime::prelude::*;
use serde::Serialize;

use crate::catalog::{Catalog, Repriced};
use crate::error::Error;
use crate::pace::Pace;

/// One log line for this many products.
const MILESTONE: usize = 1_000;

/// What was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// A summary.
    pub message: String,
    /// The number of products.
    pub total: usize,
    /// The number of products with a new price.
    pub changed: usize,
    /// The number of products whose price stays: the change is less than a cent, or the new price is invalid.
    pub unchanged: usize,
    /// The sum of all prices before.
    pub price_sum_before: String,
    /// The sum of all prices now.
    pub price_sum_after: String,
}

/// Changes the price of every product in the catalog by the same percentage.
///
/// All prices change together at the end. A run that is cancelled or fails changes none.
#[process(title = "Recalculate catalog prices")]
pub async fn recalculate_prices(
    catalog: State<Catalog>,
    pace: State<Pace>,
    #[field(help = "From -90 to 1000. Below 0 everything gets cheaper.", default = 2.5)] percent: f64,
) -> Result<Summary, Error> {
    if !(-90.0..=1000.0).contains(&percent) {
        return Err(Error::Input(format!("percent must be from -90 to 1000, not {percent}")));
    }

    set_progress_text("Waiting for the catalog");
    let mut change = catalog.change_prices().await?;
    let products = change.products()?;
    let total = products.len();
    log(format!("{total} products change by {percent} %"));

    let clock = pace.start();
    let (mut changed, mut sum_before, mut sum_after) = (0, 0, 0);
    for (index, product) in products.iter().enumerate() {
        let done = index + 1;
        let mut cents = product.price_cents;
        match change.reprice(product, percent)? {
            Repriced::To(new) => {
                cents = new;
                changed += 1;
                tally("changed");
            }
            Repriced::Unchanged => tally("unchanged"),
            Repriced::Refused => {
                tally("refused");
                warn(format!(
                    "Product #{} ({}) stays at {}: a change by {percent} % gives an invalid price",
                    product.id,
                    product.name,
                    money(cents),
                ));
            }
        }
        sum_before += product.price_cents;
        sum_after += cents;

        set_progress_of(done, total);
        set_progress_text(format!("Updating product ID: #{}", product.id));
        if done % MILESTONE == 0 {
            log(format!("{done} of {total} products recalculated"));
        }
        clock.wait(done, total).await;
    }
    change.commit()?;

    Ok(Summary {
        message: "Prices updated successfully".to_owned(),
        total,
        changed,
        unchanged: total - changed,
        price_sum_before: money(sum_before),
        price_sum_after: money(sum_after),
    })
}

/// `123456` → `1234.56`.
fn money(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::reprice;

    #[tokio::test]
    async fn every_price_changes_as_reported() {
        let folder = tempfile::tempdir().unwrap();
        let catalog = State::new(Catalog::open(&folder.path().join("catalog.sqlite3")).unwrap());
        let before = catalog.products().await.unwrap();

        let summary = recalculate_prices(catalog.clone(), State::new(Pace::NONE), 2.5).await.unwrap();

        let after = catalog.products().await.unwrap();
        let mut changed = 0;
        for (old, new) in before.iter().zip(&after) {
            match reprice(old.price_cents, 2.5) {
                Repriced::To(cents) => assert_eq!(new.price_cents, cents),
                _ => assert_eq!(new, old),
            }
            changed += usize::from(new != old);
        }
        let sum = |products: &[crate::catalog::Product]| products.iter().map(|p| p.price_cents).sum();
        assert_eq!(summary.total, before.len());
        assert_eq!((summary.changed, summary.unchanged), (changed, before.len() - changed));
        assert_eq!(summary.price_sum_before, money(sum(&before)));
        assert_eq!(summary.price_sum_after, money(sum(&after)));
        assert!(changed > 10_000, "{changed}");
    }

    #[tokio::test]
    async fn cancelled_run_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let catalog = State::new(Catalog::open(&folder.path().join("catalog.sqlite3")).unwrap());
        let before = catalog.products().await.unwrap();
        let run = recalculate_prices(catalog.clone(), State::new(Pace::default()), 50.0);
        // Cancelling drops the future at an await, as this does.
        let limit = std::time::Duration::from_millis(300);
        assert!(tokio::time::timeout(limit, run).await.is_err());
        assert_eq!(catalog.products().await.unwrap(), before);
    }

    #[tokio::test]
    async fn absurd_percentage_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let catalog = State::new(Catalog::open(&folder.path().join("catalog.sqlite3")).unwrap());
        for percent in [-91.0, 1001.0, f64::NAN] {
            let run = recalculate_prices(catalog.clone(), State::new(Pace::NONE), percent);
            let message = run.await.unwrap_err().to_string();
            assert_eq!(message, format!("percent must be from -90 to 1000, not {percent}"));
        }
    }

    #[test]
    fn money_has_two_decimals() {
        assert_eq!([money(7), money(123_456)], ["0.07", "1234.56"]);
    }
}
