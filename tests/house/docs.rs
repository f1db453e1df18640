//! The documentation: links work, each page is listed and compiled, and each dependency has its reason.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::{root, sources};

/// The pages that people read, below the repository's root.
fn pages() -> Vec<PathBuf> {
    let mut pages =
        ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"].map(PathBuf::from).to_vec();
    pages.extend(["tests/README.md", "tests/load/README.md", "tests/ui/README.md"].map(PathBuf::from));
    for folder in ["docs", "docs/guide"] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path.strip_prefix(root()).unwrap().to_owned());
            }
        }
    }
    assert!(pages.len() > 25, "{pages:?}");
    pages
}

fn read(page: &Path) -> String {
    fs::read_to_string(root().join(page)).unwrap_or_else(|error| panic!("{}: {error}", page.display()))
}

/// The lines outside of blocks of code.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    text.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        in_code ^= is_fence;
        !in_code && !is_fence
    })
}

/// Where a page links to, other sites left out.
fn links(text: &str) -> Vec<String> {
    let mut links = Vec::new();
    for line in prose(text) {
        let targets = line.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
        let images = line.split("src=\"").skip(1).filter_map(|rest| rest.split_once('"'));
        links.extend(targets.chain(images).map(|(target, _)| target.to_owned()));
    }
    links.retain(|link| !link.contains("://"));
    links
}

/// The anchors that a page's headings have.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text).filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| {
        let kept = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.collect::<String>().replace(' ', "-")
    };
    headings.map(anchor).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut seen = 0;
    for page in pages() {
        for link in links(&read(&page)) {
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = match path {
                "" => page.clone(),
                path => page.parent().unwrap().join(path),
            };
            assert!(root().join(&target).exists(), "{} links to {link}", page.display());
            if !anchor.is_empty() {
                assert!(anchors(&read(&target)).contains(anchor), "{} links to {link}", page.display());
            }
            seen += 1;
        }
    }
    assert!(seen > 150, "only {seen} links were seen");
}

#[test]
fn guide_pages_are_listed_and_compiled() {
    let index = read(Path::new("docs/guide/README.md"));
    let compiled = read(Path::new("examples/src/guide.rs"));
    for page in pages().iter().filter(|page| page.starts_with("docs/guide")) {
        let name = page.file_name().unwrap().to_str().unwrap();
        assert!(name == "README.md" || index.contains(&format!("({name})")), "{name} is not in the index");
        assert!(compiled.contains(&format!("docs/guide/{name}\"")), "{name} is not compiled");
    }
}

#[test]
fn readme_is_short() {
    let lines = read(Path::new("README.md")).lines().count();
    assert!(lines <= 200, "README.md has {lines} lines: what belongs in the guide?");
}

#[test]
fn dependencies_have_reasons() {
    let readme = read(Path::new("README.md"));
    let table = readme.split("## Dependencies").nth(1).unwrap();
    for manifest in ["process-runtime/Cargo.toml", "process-macros/Cargo.toml"] {
        let manifest = read(Path::new(manifest));
        let sections = manifest.split("\n[").filter(|section| {
            let name = section.split(']').next().unwrap();
            name.ends_with("dependencies") && name != "dev-dependencies"
        });
        // Behind the section's own name.
        let lines =
            sections.flat_map(|section| section.lines().skip(1)).filter(|line| !line.starts_with('#'));
        let lines = lines.filter_map(|line| line.split_once(" = "));
        let names: Vec<&str> =
            lines.map(|(name, _)| name).filter(|name| !name.starts_with("process-")).collect();
        assert!(names.len() > 5, "{names:?}");
        for name in names {
            let words = table.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_');
            assert!(words.into_iter().any(|word| word == name), "README.md does not say why there is {name}");
        }
    }
}

/// A reader copies what is shown.
#[test]
fn examples_hide_no_imports() {
    for (path, text) in sources("process-runtime/src") {
        let hidden = text.lines().map(str::trim_start).find(|line| {
            let line = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
            line.is_some_and(|line| line.trim_start().starts_with("# use "))
        });
        assert_eq!(hidden, None, "{}", path.display());
    }
    for page in pages() {
        assert!(!read(&page).lines().any(|line| line.starts_with("# use ")), "{}", page.display());
    }
}
