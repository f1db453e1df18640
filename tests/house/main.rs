//! The architecture: which module may import which, and how each file begins.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

mod circles;
mod docs;
mod figures;
mod lists;
mod texts;
mod tracing;
mod words;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every Rust file below a folder, with its text.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push((
                    path.strip_prefix(root()).unwrap().to_owned(),
                    fs::read_to_string(&path).unwrap(),
                ));
            }
        }
    }
    assert!(!found.is_empty());
    found
}

/// The floor of each module: groups of `mod` lines in `lib.rs`, from the top floor down.
fn floors(krate: &str) -> BTreeMap<String, usize> {
    let lib = fs::read_to_string(root().join(krate).join("src/lib.rs")).unwrap();
    let mut floors = BTreeMap::new();
    let mut floor = 100;
    for line in lib.lines() {
        let line = line.trim_start_matches("pub ").trim();
        match line.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')) {
            Some(module) => drop(floors.insert(module.to_owned(), floor)),
            None if line.is_empty() => floor -= 1,
            None => {}
        }
    }
    assert!(floors.len() > 3, "{floors:?}");
    floors
}

/// The modules of its own crate that a text names.
fn imports(text: &str) -> Vec<String> {
    let code = text.split("#[cfg(test)]").next().unwrap();
    let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code: Vec<_> = code.collect();
    let code = code.join("\n");
    let names = code.split("crate::").skip(1).filter(|rest| !rest.starts_with('{'));
    let names = names.map(|rest| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
    names.collect()
}

fn module_of(path: &Path, krate: &str) -> String {
    let inside = path.strip_prefix(Path::new(krate).join("src")).unwrap();
    inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned()
}

#[test]
fn modules_import_only_lower_floors() {
    for krate in ["process-runtime", "process-macros"] {
        let floors = floors(krate);
        let mut seen = 0;
        for (path, text) in sources(&format!("{krate}/src")) {
            let module = module_of(&path, krate);
            if module == "lib" {
                continue;
            }
            let own = floors.get(&module).unwrap_or_else(|| panic!("{module} has no floor"));
            for import in imports(&text).into_iter().filter(|import| *import != module) {
                let Some(floor) = floors.get(&import) else {
                    panic!("{} imports {import} from lib: name the module it is in", path.display());
                };
                assert!(floor < own, "{} may not import {import}: it is not below", path.display());
                seen += 1;
            }
        }
        assert!(seen > 5, "only {seen} imports were seen in {krate}");
    }
}

#[test]
fn only_web_imports_axum() {
    for (path, text) in sources("process-runtime/src") {
        let module = module_of(&path, "process-runtime");
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let knows = code.into_iter().any(|line| line.contains("axum::") && !line.contains("pub use axum::"));
        assert!(!knows || module == "web", "{} knows axum", path.display());
    }
}

#[test]
fn every_file_has_module_docs() {
    for folder in ["process-runtime/src", "process-macros/src", "examples/src", "tests/src"] {
        for (path, text) in sources(folder) {
            assert!(text.starts_with("//!"), "{} does not begin with //!", path.display());
        }
    }
}

#[test]
fn files_have_at_most_400_lines() {
    for folder in ["process-runtime/src", "process-macros/src", "examples/src"] {
        for (path, text) in sources(folder) {
            let lines = text.lines().count();
            assert!(lines <= 400, "{} has {lines} lines: split it by what its parts do", path.display());
        }
    }
}

#[test]
fn fault_table_names_existing_tests() {
    let readme = fs::read_to_string(root().join("tests/README.md")).unwrap();
    let named: Vec<_> = readme.split('`').filter(|name| name.contains("::")).collect();
    assert!(named.len() > 30, "{named:?}");
    for name in named {
        let (file, test) = name.rsplit_once("::").unwrap();
        let path = match file.strip_prefix("examples::") {
            Some(file) => format!("examples/src/{file}"),
            None => format!("tests/{file}"),
        };
        let read =
            |path: String| fs::read_to_string(root().join(path.replace("::", "/")).with_extension("rs"));
        // A test beside the code that it tests is named by its module.
        let text = read(path).or_else(|_| read(format!("process-runtime/src/{file}")));
        let text = text.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(text.contains(&format!("fn {test}(")), "{name} is not there");
    }
}

#[test]
fn page_table_names_existing_browser_tests() {
    let readme = fs::read_to_string(root().join("tests/README.md")).unwrap();
    let named: Vec<_> = readme.split('`').filter_map(|name| name.split_once(" › ")).collect();
    assert!(named.len() > 40, "{named:?}");
    for (file, test) in named {
        let path = root().join("tests/browser").join(file).with_extension("test.mjs");
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert!(text.replace("\\\"", "\"").contains(test), "{file} › {test} is not there");
    }
    // Points of the list, none left out. Cases such as C20 have a table of their own.
    let is_case =
        |line: &str| line[2..].strip_prefix('C').is_some_and(|rest| rest.starts_with(char::is_numeric));
    let points = readme
        .lines()
        .filter(|line| line.starts_with("| ") && !is_case(line) && line.contains(" › "))
        .count();
    assert_eq!(points, 32);
}
