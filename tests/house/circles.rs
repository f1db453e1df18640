//! No circle of files that import each other, in either crate and at any depth.
//!
//! A module is a part of its parent: what it takes from there is no import. All else counts, in code and in `use`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::sources;

/// A module by its path, `["web", "request"]`.
type Module = Vec<String>;

fn module_of(path: &Path, krate: &str) -> Module {
    let inside = path.strip_prefix(Path::new(krate).join("src")).unwrap().with_extension("");
    let parts: Module = inside.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if parts == ["lib"] { Vec::new() } else { parts }
}

/// The code without comments and tests.
fn code(text: &str) -> String {
    let code = text.split("#[cfg(test)]").next().unwrap().lines();
    code.filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

/// Every path that a text begins with this, `crate::a::{b, c::D}` as two.
fn paths(text: &str, begin: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for (at, _) in text.match_indices(begin) {
        let before = text[..at].chars().next_back();
        if !before.is_some_and(|letter| is_word(letter) || letter == ':') {
            read(&text[at..], &[], &mut found);
        }
    }
    found
}

/// Reads one path, or the paths between braces, and gives what follows.
fn read<'a>(text: &'a str, outer: &[String], found: &mut Vec<Vec<String>>) -> &'a str {
    let text = text.trim_start();
    if let Some(mut rest) = text.strip_prefix('{') {
        loop {
            rest = read(rest, outer, found).trim_start();
            match rest.chars().next() {
                Some(',') => rest = &rest[1..],
                Some('}') => return &rest[1..],
                // `a as b`
                Some(_) => rest = rest.find([',', '}']).map_or("", |end| &rest[end..]),
                None => return rest,
            }
        }
    }
    let end = text.find(|letter| !is_word(letter)).unwrap_or(text.len());
    let path: Vec<String> = outer.iter().cloned().chain([text[..end].to_owned()]).collect();
    match text[end..].strip_prefix("::") {
        Some(rest) if rest.starts_with(|letter| is_word(letter) || letter == '{') => read(rest, &path, found),
        _ => {
            found.push(path);
            &text[end..]
        }
    }
}

/// The module a path leads to, seen from another; `None` where that is itself or what it is a part of.
fn target(from: &[String], path: &[String], modules: &BTreeSet<Module>) -> Option<Module> {
    let mut at: Module = if path[0] == "crate" { Vec::new() } else { from.to_vec() };
    for name in path {
        match name.as_str() {
            "crate" | "self" => {}
            "super" => drop(at.pop()),
            name => {
                at.push(name.to_owned());
                if !modules.contains(&at) {
                    at.pop();
                    break;
                }
            }
        }
    }
    (!from.starts_with(&at)).then_some(at)
}

fn imports(from: &Module, text: &str, modules: &BTreeSet<Module>) -> BTreeSet<Module> {
    let code = code(text);
    let children = modules.iter().filter(|module| module.len() == from.len() + 1 && module.starts_with(from));
    let children = children.map(|child| format!("{}::", child.last().unwrap()));
    let begins = ["crate::", "super::", "self::"].map(str::to_owned).into_iter().chain(children);
    let paths = begins.flat_map(|begin| paths(&code, &begin));
    paths.filter_map(|path| target(from, &path, modules)).collect()
}

/// A circle, if there is one.
fn circle(imports: &BTreeMap<Module, BTreeSet<Module>>) -> Option<Vec<String>> {
    fn visit<'a>(
        module: &'a Module,
        imports: &'a BTreeMap<Module, BTreeSet<Module>>,
        way: &mut Vec<&'a Module>,
        done: &mut BTreeSet<&'a Module>,
    ) -> Option<Vec<String>> {
        if let Some(at) = way.iter().position(|one| *one == module) {
            return Some(way[at..].iter().map(|one| one.join("::")).collect());
        }
        if done.contains(module) {
            return None;
        }
        way.push(module);
        let found = imports[module].iter().find_map(|next| visit(next, imports, way, done));
        way.pop();
        done.insert(module);
        found
    }
    let mut done = BTreeSet::new();
    imports.keys().find_map(|module| visit(module, imports, &mut Vec::new(), &mut done))
}

#[test]
fn files_have_no_import_cycles() {
    for (krate, least) in [("process-runtime", 600), ("process-macros", 15)] {
        let files: BTreeMap<Module, String> = sources(&format!("{krate}/src"))
            .into_iter()
            .map(|(path, text)| (module_of(&path, krate), text))
            .filter(|(module, _)| module.last().is_none_or(|name| name != "tests"))
            .collect();
        let modules: BTreeSet<Module> = files.keys().cloned().collect();
        let imports: BTreeMap<_, _> =
            files.iter().map(|(module, text)| (module.clone(), imports(module, text, &modules))).collect();
        let count: usize = imports.values().map(BTreeSet::len).sum();
        assert!(count > least, "only {count} imports were seen in {krate}");
        let circle = circle(&imports);
        assert!(circle.is_none(), "{krate}: a circle of files: {}", circle.unwrap().join(" -> "));
    }
}

#[test]
fn import_cycle_is_found() {
    let module = |name: &str| vec![name.to_owned()];
    let of = |pairs: &[(&str, &[&str])]| {
        let imports = pairs.iter().map(|(from, to)| (module(from), to.iter().map(|to| module(to)).collect()));
        circle(&imports.collect())
    };
    assert_eq!(of(&[("a", &["b", "c"]), ("b", &["c"]), ("c", &[])]), None);
    assert_eq!(of(&[("a", &["b"]), ("b", &["c"]), ("c", &["b"])]), Some(vec!["b".into(), "c".into()]));
    let modules: BTreeSet<Module> = ["a", "b", "c"].map(module).into();
    let code = "use crate::{b::X, c::{self as d, Y}};\nfn f() { super::b::g() }\n// crate::a::Z";
    assert_eq!(imports(&module("a"), code, &modules), [module("b"), module("c")].into());
}
