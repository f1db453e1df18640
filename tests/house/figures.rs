//! The dashboard and the documentation list exactly the metrics in the code.

use std::collections::BTreeSet;
use std::fs;

use super::root;

/// Words that look like a metric's name, without the suffixes of histograms.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let figures = words.filter(|word| word.starts_with("process_"));
    let suffixes = ["_bucket", "_sum", "_count"];
    let name =
        |word: &str| suffixes.iter().find_map(|suffix| word.strip_suffix(suffix)).unwrap_or(word).to_owned();
    // The crate and its target in logs have the name of no figure.
    figures.map(name).filter(|name| !name.starts_with("process_runtime")).collect()
}

fn counted() -> BTreeSet<String> {
    let code = fs::read_to_string(root().join("process-runtime/src/meters/counted.rs")).unwrap();
    let constants = code.lines().filter(|line| line.contains("const ")).collect::<Vec<_>>().join("\n");
    let found = names(&constants);
    assert_eq!(found.len(), 11, "{found:?}");
    found
}

#[test]
fn dashboard_draws_exactly_all_metrics() {
    let text = fs::read_to_string(root().join("docs/grafana.json")).unwrap();
    let dashboard: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut drawn = BTreeSet::new();
    let panels = dashboard["panels"].as_array().unwrap();
    let mut ids = BTreeSet::new();
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64().unwrap()), "two panels have one id");
        if panel["type"] == "row" {
            continue;
        }
        assert!(panel["description"].as_str().is_some_and(|text| text.len() > 20), "{panel}");
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{panel}");
        for target in panel["targets"].as_array().unwrap() {
            drawn.extend(names(target["expr"].as_str().unwrap()));
        }
    }
    assert_eq!(drawn, counted());
    assert_eq!(dashboard["templating"]["list"][0]["type"], "datasource");
    assert!(dashboard["id"].is_null(), "an imported dashboard gets its id from Grafana");
}

#[test]
fn docs_list_exactly_all_metrics() {
    let text = fs::read_to_string(root().join("docs/guide/operations.md")).unwrap();
    let listed = text.lines().filter(|line| line.starts_with("| `process_"));
    assert_eq!(names(&listed.collect::<Vec<_>>().join("\n")), counted());
    assert!(names(&text).is_subset(&counted()), "{:?}", names(&text));
}
