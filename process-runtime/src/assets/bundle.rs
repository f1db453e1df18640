//! Owns how modules become one script: each once, behind those that it imports, without what only people read.
//! Refuses to know what the modules do.
//!
//! It reads lines, not JavaScript, and so the modules keep to a few rules, which a test looks after: an import or a
//! list of exports is one line, a comment between statements is whole lines, and no text goes over several lines.

/// A module by its file's name.
pub(super) type Module = (&'static str, &'static str);

/// The script that begins at the module `entry`: all in one scope, with the exports of that module alone.
pub(super) fn bundle(modules: &[Module], entry: &str) -> String {
    let mut out = String::new();
    let mut taken = Vec::new();
    let mut exports = Vec::new();
    take(modules, entry, &mut taken, &mut out);
    let of_entry = modules.iter().find(|(name, _)| *name == entry).map_or("", |(_, text)| text);
    exports.extend(of_entry.lines().filter_map(exported));
    if !exports.is_empty() {
        out += &format!("export {{ {} }};\n", exports.join(", "));
    }
    out
}

fn take(modules: &[Module], name: &str, taken: &mut Vec<String>, out: &mut String) {
    if taken.iter().any(|one| one == name) {
        return;
    }
    taken.push(name.to_owned());
    let text = modules.iter().find(|(one, _)| *one == name).map_or("", |(_, text)| text);
    text.lines().filter_map(imported).for_each(|other| take(modules, other, taken, out));
    let mut in_comment = false;
    for line in text.lines() {
        let line = line.trim_start();
        if in_comment || line.starts_with("/*") {
            in_comment = !line.ends_with("*/");
            continue;
        }
        if line.is_empty() || line.starts_with("//") || imported(line).is_some() {
            continue;
        }
        out.push_str(line.strip_prefix("export ").unwrap_or(line));
        out.push('\n');
    }
}

/// The module that a line imports.
fn imported(line: &str) -> Option<&str> {
    let names = line.starts_with("import ") || line.starts_with("export {");
    let (_, path) = line.strip_suffix("\";").filter(|_| names)?.rsplit_once("\"./")?;
    Some(path)
}

/// The names that a line exports.
fn exported(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("export ")?;
    if let Some(list) = rest.strip_prefix('{') {
        return list.split_once('}').map(|(names, _)| names.trim());
    }
    let mut words = rest.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
    let kinds = ["const", "function", "class", "async"];
    words.find(|word| !word.is_empty() && !kinds.contains(word))
}

/// A style sheet without what only people read.
pub(super) fn compact(css: &str) -> String {
    let mut out = String::new();
    let mut rest = css;
    while let Some((before, comment)) = rest.split_once("/*") {
        out.push_str(before);
        rest = comment.split_once("*/").map_or("", |(_, behind)| behind);
    }
    out.push_str(rest);
    out.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODULES: [Module; 3] = [
        (
            "a.js",
            "// Says a.\nimport { b } from \"./b.js\";\nimport \"./c.js\";\n\n/** Does\n * a. */\nexport function a() {\n  return b; // so\n}\n",
        ),
        ("b.js", "import { c } from \"./c.js\";\nexport const b = c;\n"),
        ("c.js", "export const c = 1;\n"),
    ];

    #[test]
    fn a_script_has_each_module_once_behind_what_it_needs() {
        let script = bundle(&MODULES, "a.js");
        assert_eq!(script, "const c = 1;\nconst b = c;\nfunction a() {\nreturn b; // so\n}\nexport { a };\n");
    }

    #[test]
    fn what_an_entry_hands_on_is_exported() {
        let modules = [
            MODULES[1],
            MODULES[2],
            ("e.js", "export { b } from \"./b.js\";\nexport { c } from \"./c.js\";\n"),
        ];
        assert!(bundle(&modules, "e.js").ends_with("const b = c;\nexport { b, c };\n"));
    }

    #[test]
    fn a_style_sheet_loses_its_comments_and_nothing_else() {
        assert_eq!(compact("/* a\n b */\n:root {\n  --a: 1; /* c */\n}\n"), ":root {\n--a: 1;\n}");
    }
}
