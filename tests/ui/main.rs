//! The programs that must compile with `#[process]`, and those that must not, with what the compiler says about them.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

/// Messages differ between compilers, so they are compared on this one only.
const PINNED: &str = "rustc 1.95.";

#[test]
fn invalid_programs_fail_with_explanation() {
    let cases = trybuild::TestCases::new();
    let version = compiler_version();
    if version.starts_with(PINNED) {
        cases.compile_fail("fail/*.rs");
    } else {
        println!("left out: fail/ compares messages of {PINNED}x, this is {version}");
    }
}

fn compiler_version() -> String {
    let compiler = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(compiler).arg("--version").output();
    output
        .map_or_else(|error| error.to_string(), |output| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn every_ui_program_is_listed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let list = std::fs::read_to_string(folder.join("README.md")).expect("the list");
    let listed: BTreeSet<String> = list
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next().map(str::to_owned))
        .collect();
    let mut found = BTreeSet::new();
    for kind in ["pass", "fail"] {
        for entry in std::fs::read_dir(folder.join(kind)).expect("the programs") {
            let path = entry.expect("a program").path();
            let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a readable name");
            let is_program = path.extension().is_some_and(|extension| extension == "rs");
            if is_program {
                found.insert(format!("{kind}/{name}"));
                let said = path.with_extension("stderr");
                assert_eq!(said.exists(), kind == "fail", "{}", said.display());
            }
        }
    }
    assert_eq!(listed, found);
    // Those that must are tests of this crate, built with all others.
    let manifest = include_str!("Cargo.toml");
    for program in found.iter().filter(|program| program.starts_with("pass/")) {
        assert!(
            manifest.contains(&format!("path = \"{program}.rs\"")),
            "{program} is no [[test]] of Cargo.toml"
        );
    }
}

/// The macro refuses parameters that hide a helper, so it has to know them all.
#[test]
fn macro_knows_every_runtime_helper() {
    let runtime = include_str!("../../process-runtime/src/lib.rs");
    let module = runtime.split("pub mod helpers {").nth(1).expect("the helpers");
    let names = module.split(['{', '}']).nth(1).expect("their names");
    let helpers: BTreeSet<&str> = names.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    let macros = include_str!("../../process-macros/src/helpers.rs");
    let list = macros.split("const NAMES").nth(1).and_then(|rest| rest.split("];").next()).expect("a list");
    let known: BTreeSet<&str> = list.split('"').skip(1).step_by(2).collect();
    assert_eq!(known, helpers);
}
