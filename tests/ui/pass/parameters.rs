//! State, the run's handle and form fields, with labels, hints and defaults.
#![deny(warnings)]

use process_runtime::Process;
use process_runtime::prelude::*;

const USUAL: f64 = 2.5;

struct Catalog;
struct Failure;

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("failed")
    }
}

#[derive(serde::Serialize)]
struct Summary {
    total: usize,
}

/// Recalculates the price
/// of every product.
#[process(title = "Recalculating catalog prices", group = "admin")]
async fn recalculate_prices(
    catalog: State<Catalog>,
    progress: Progress,
    #[field(label = "By how much", help = "in percent", default = USUAL)] percent: f64,
    #[field(default = "all")] category: String,
    #[field(default = 10)] limit: Option<u32>,
    mut dry_run: bool,
) -> Result<Summary, Failure> {
    let _ = (&catalog, progress, percent, limit);
    dry_run |= category.is_empty();
    set_progress_of(1, 2);
    if dry_run {
        return Err(Failure);
    }
    Ok(Summary { total: 1 })
}

fn main() {
    let process: &'static Process = RecalculatePrices::PROCESS;
    assert_eq!(process.name, "RecalculatePrices");
    assert_eq!(process.route(), "admin/recalculate-prices");
    assert_eq!(process.title, "Recalculating catalog prices");
    assert_eq!(process.description, "Recalculates the price\nof every product.");
    assert_eq!(process.location.line, 26);
    assert!(process.location.file.ends_with("parameters.rs"));
    let fields = process.fields();
    let names: Vec<_> = fields.iter().map(|field| (field.name, field.label.as_str())).collect();
    assert_eq!(
        names,
        [("percent", "By how much"), ("category", "Category"), ("limit", "Limit"), ("dry_run", "Dry run")]
    );
    assert_eq!(fields[0].help, Some("in percent"));
    assert_eq!(fields[0].default, Some(serde_json::json!(2.5)));
    assert_eq!(fields[1].default, Some(serde_json::json!("all")));
    assert_eq!(fields[2].default, Some(serde_json::json!(10)));
    let _ = RecalculatePrices::show_progress;
}
