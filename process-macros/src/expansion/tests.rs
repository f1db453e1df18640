//! Compares whole expansions with the files in `snapshots/`, where reviewers can read the generated code.
//!
//! Each file contains the source, then the generated code. With `UPDATE_SNAPSHOTS=1` the test rewrites the
//! second half.

use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};

use super::{field, process};

/// Between the two halves.
const LINE: &str = "// ---- is written as ----\n";

/// What rustc would hand to the macro: the attribute's arguments and the rest of the item.
fn expansion(source: &str) -> TokenStream {
    let tokens: TokenStream = source.parse().unwrap();
    let mut trees = tokens.into_iter();
    // Above the item: comments are no tokens, so the attribute is the first thing.
    assert_eq!(trees.next().unwrap().to_string(), "#");
    let TokenTree::Group(attribute) = trees.next().unwrap() else { panic!("an attribute") };
    let mut words = attribute.stream().into_iter();
    let name = words.next().unwrap().to_string();
    let Some(TokenTree::Group(arguments)) = words.next() else { panic!("arguments") };
    match name.as_str() {
        "process" => process(arguments.stream(), trees.collect()),
        "derive" => field(trees.collect()),
        other => panic!("{other}"),
    }
}

/// The errors for this item.
fn mistakes(source: &str) -> Vec<String> {
    let written = expansion(source).to_string();
    let said = written.split("compile_error").skip(1).filter_map(|rest| rest.split('"').nth(1));
    said.map(str::to_owned).collect()
}

#[test]
fn cursor_parameter_is_unique_and_injected() {
    let one =
        "#[process(title = \"A\")] async fn a(at: process_runtime::Cursor<u64>, #[field(min = 1)] n: u8) {}";
    assert_eq!(mistakes(one), [""; 0]);
    let written = expansion(one).to_string();
    assert!(written.contains("pub n : u8") && !written.contains("pub at :"), "{written}");
    let two = "#[process(title = \"A\")] async fn a(first: Cursor<u64>, second: Cursor<(u8, u8)>) {}";
    let message = "process `a`: a process has one cursor: \
                   combine both positions in one type, such as a struct or a tuple";
    assert_eq!(mistakes(two), [message]);
    let filled_in = "#[process(title = \"A\")] async fn a(#[field(min = 1)] at: Cursor<u64>) {}";
    let message = "process `a`: this parameter is injected by the runtime and is not a form field: remove `#[field(…)]`";
    assert_eq!(mistakes(filled_in), [message]);
}

#[test]
fn lost_helper_error_suggests_replacement() {
    for (helper, instead) in [
        ("log", ", or take `progress: Progress` as a parameter and call `progress.log(…)`"),
        (
            "shutting_down",
            ", or take `progress: Progress` as a parameter and call `progress.is_shutting_down()`",
        ),
        ("end_process", ""),
    ] {
        let lost =
            format!("#[process(title = \"A\")] async fn a() {{ tokio::spawn(async {{ {helper}(1) }}); }}");
        let said = format!(
            "process `a`: `{helper}` does not reach the run from a spawned task: use `process_runtime::spawn`{instead}"
        );
        assert_eq!(mistakes(&lost), [said]);
    }
}

#[test]
fn expansion_matches_snapshots() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(files.len() >= 6, "{files:?}");
    let update = std::env::var_os("UPDATE_SNAPSHOTS").is_some();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let source = text.split(LINE).next().unwrap();
        let written = syn::parse2(expansion(source)).expect("items");
        let shows = format!("{}\n\n{LINE}\n{}", source.trim_end(), prettyplease::unparse(&written));
        if update {
            std::fs::write(&file, shows).unwrap();
        } else {
            let hint = "read the difference, then run the test with UPDATE_SNAPSHOTS=1";
            assert!(shows == text, "{}: {hint}\n\n{shows}", file.display());
        }
    }
}
