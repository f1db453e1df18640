//! Lists that are written twice: each says the same as the other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::{floors, root};

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The texts in quotes of an array in a source file.
fn array(path: &str, name: &str) -> BTreeSet<String> {
    let text = read(path);
    let array = text.split(&format!("const {name}: ")).nth(1).unwrap();
    let array = array.split_once("= [").unwrap().1.split_once("];").unwrap().0;
    array.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The texts in backticks.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn reserved_segments_are_the_same_in_both_crates() {
    let registry = array("process-runtime/src/registry.rs", "RESERVED");
    assert_eq!(array("process-macros/src/naming.rs", "RESERVED"), registry);
    let documented = read("process-macros/src/lib.rs");
    // A segment that an author writes has no dot.
    for segment in registry.iter().filter(|segment| !segment.contains('.')) {
        assert!(documented.contains(&format!("`{segment}`")), "{segment} is not documented as reserved");
    }
}

#[test]
fn field_keys_are_documented() {
    let text = read("process-macros/src/lib.rs");
    let table = text.split("/// | key | for | meaning |").nth(1).unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with("/// |"));
    let keys = rows.flat_map(|row| quoted(row.split('|').nth(1).unwrap()).into_iter());
    let keys: BTreeSet<_> = keys.map(|key| key.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(keys, array("process-macros/src/options.rs", "FIELD_KEYS"));
}

#[test]
fn contributing_names_each_layer() {
    let text = read("CONTRIBUTING.md");
    let section = text.split("## How the runtime is layered").nth(1).unwrap().split("\n## ").next().unwrap();
    let floors = floors("process-runtime");
    let mut named = BTreeMap::new();
    let mut lowest = usize::MAX;
    for line in section.lines().filter(|line| line.starts_with(|c: char| c.is_ascii_digit())) {
        let modules = quoted(line.split_once(": ").map_or(line, |(modules, _)| modules));
        let of = |module: &&str| *floors.get(*module).unwrap_or_else(|| panic!("there is no `{module}`"));
        let (low, high) = (modules.iter().map(of).min().unwrap(), modules.iter().map(of).max().unwrap());
        assert!(high <= lowest, "{line} is above the line before it");
        lowest = low;
        named.extend(modules.into_iter().map(|module| (module.to_owned(), of(&module))));
    }
    assert_eq!(named, floors);
}

#[test]
fn cargo_features_are_documented() {
    let manifest = read("process-runtime/Cargo.toml");
    let section = manifest.split("[features]\n").nth(1).unwrap().split("\n[").next().unwrap();
    let features: BTreeMap<_, _> = section
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(" = "))
        .collect();
    let default: BTreeSet<_> = features["default"].split('"').skip(1).step_by(2).collect();
    let guide = read("docs/guide/getting-started.md");
    let table = guide.split("| feature | default | adds | brings |").nth(1).unwrap();
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let rows: BTreeMap<_, _> = rows.map(|row| (quoted(row)[0], row)).collect();
    let names: BTreeSet<_> = features.keys().copied().filter(|name| *name != "default").collect();
    assert_eq!(rows.keys().copied().collect::<BTreeSet<_>>(), names);
    for (name, row) in rows {
        let cells: Vec<_> = row.split('|').map(str::trim).collect();
        assert_eq!(cells[2] == "yes", default.contains(name), "{row}");
        let brings: BTreeSet<_> = quoted(cells[4]).into_iter().collect();
        let manifest = features[name].split('"').skip(1).step_by(2);
        let manifest: BTreeSet<_> = manifest.map(|one| one.trim_start_matches("dep:")).collect();
        assert_eq!(brings, manifest, "{row}");
    }
}
