//! Bundles modules into one script: each once, after the modules that it imports, without comments and most line breaks.
//!
//! It parses lines, not JavaScript, so the modules follow a few rules that a test checks: an import or a list of
//! exports is one line, a comment between statements consists of whole lines, and no string spans several lines.

// Why no bundler of JavaScript: one in a build script would lengthen the first build of every user by far more than this
// module costs at startup, and bundles in the repository could differ from their modules. The texts of the application's
// languages are only known at startup in any case.

/// A module by its file's name.
pub(super) type Module = (&'static str, &'static str);

/// The script that begins at the module `entry`: all in one scope, with the exports of that module alone.
pub(super) fn bundle(modules: &[Module], entry: &str) -> String {
    let mut script = Script { modules, taken: Vec::new(), text: String::new() };
    script.take(entry);
    let exports: Vec<&str> = text_of(modules, entry).lines().filter_map(exported).collect();
    script.with_exports(&exports)
}

/// The script of every page, and scripts beside it that begin at the modules `beside` and have from the first what they
/// need of it.
pub(super) fn bundles<const N: usize>(
    modules: &[Module],
    entry: &str,
    beside: [&str; N],
) -> (String, [String; N]) {
    let mut first = Script { modules, taken: Vec::new(), text: String::new() };
    first.take(entry);
    let mut exported: Vec<&str> = Vec::new();
    let others = beside.map(|name| {
        let mut script = Script { modules, taken: first.taken.clone(), text: String::new() };
        script.take(name);
        let mut shared: Vec<&str> = Vec::new();
        for module in &script.taken[first.taken.len()..] {
            for line in text_of(modules, module).lines() {
                let from_first = imported(line).is_some_and(|from| first.taken.contains(&from));
                let names = line.split_once('{').and_then(|(_, rest)| rest.split_once('}'));
                let Some((names, _)) = names.filter(|_| from_first) else { continue };
                shared.extend(names.split(',').map(str::trim));
            }
        }
        shared.sort_unstable();
        shared.dedup();
        exported.extend(&shared);
        let own: Vec<&str> = text_of(modules, name).lines().filter_map(self::exported).collect();
        format!("import {{ {} }} from \"./{entry}\";\n{}", shared.join(", "), script.with_exports(&own))
    });
    exported.sort_unstable();
    exported.dedup();
    (first.with_exports(&exported), others)
}

fn text_of(modules: &[Module], name: &str) -> &'static str {
    modules.iter().find(|(one, _)| *one == name).map_or("", |(_, text)| text)
}

struct Script<'a> {
    modules: &'a [Module],
    taken: Vec<&'static str>,
    text: String,
}

impl Script<'_> {
    fn with_exports(self, names: &[&str]) -> String {
        if names.is_empty() {
            self.text
        } else {
            format!("{}export {{ {} }};\n", self.text, names.join(", "))
        }
    }

    fn take(&mut self, name: &str) {
        let Some((name, text)) = self.modules.iter().find(|(one, _)| *one == name) else { return };
        if self.taken.contains(name) {
            return;
        }
        self.taken.push(name);
        text.lines().filter_map(imported).for_each(|other| self.take(other));
        self.append(text);
    }

    /// Appends a module without its imports and comments.
    fn append(&mut self, text: &str) {
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
            let line = without_remark(line.strip_prefix("export ").unwrap_or(line));
            self.text.push_str(line);
            // Elsewhere a line break ends a statement, or a remark that has stayed.
            if !line.ends_with([';', '{', ',']) || line.contains("//") {
                self.text.push('\n');
            }
        }
    }
}

/// A line without a comment at its end. A line with quotes may contain a string, and stays.
fn without_remark(line: &str) -> &str {
    match line.rsplit_once(" // ") {
        Some((code, remark)) if !remark.contains(['"', '\'', '`']) => code.trim_end(),
        _ => line,
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

/// A style sheet without comments, and without line breaks and spaces between its tokens.
pub(super) fn compact(css: &str) -> String {
    let mut out = String::new();
    let mut rest = css;
    while let Some((before, comment)) = rest.split_once("/*") {
        out.push_str(before);
        rest = comment.split_once("*/").map_or("", |(_, behind)| behind);
    }
    out.push_str(rest);
    let css: String = out.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    // No string of ours contains one of these, and a space before a colon would matter.
    let tokens = [(" {", "{"), ("{ ", "{"), ("; ", ";"), (";}", "}"), (": ", ":"), (", ", ","), (" > ", ">")];
    tokens.iter().fold(css, |css, (wide, tight)| css.replace(wide, tight))
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
    fn bundle_orders_each_module_once() {
        let script = bundle(&MODULES, "a.js");
        assert_eq!(script, "const c = 1;const b = c;function a() {return b;}\nexport { a };\n");
    }

    #[test]
    fn modules_of_a_bundle_declare_no_name_twice() {
        for entry in ["page.js", "starting.js", "watching.js", "process-progress.js", "client.js", "line.js"]
        {
            let mut script =
                Script { modules: &crate::assets::MODULES, taken: Vec::new(), text: String::new() };
            script.take(entry);
            let mut names = std::collections::BTreeMap::new();
            for module in script.taken {
                // Indented lines declare names in smaller scopes.
                for line in text_of(&crate::assets::MODULES, module).lines() {
                    let line = line.strip_prefix("export ").unwrap_or(line);
                    let kinds = ["const ", "let ", "function ", "async function ", "class "];
                    let Some(rest) = kinds.iter().find_map(|kind| line.strip_prefix(kind)) else { continue };
                    let name = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
                    let before = names.insert(name.to_owned(), module).filter(|_| !name.is_empty());
                    assert_eq!(before, None, "{entry}: {name} of {module} is also declared there");
                }
            }
            assert!(names.len() > 3, "{entry}: {names:?}");
        }
    }

    #[test]
    fn entry_reexports_are_exported() {
        let modules = [
            MODULES[1],
            MODULES[2],
            ("e.js", "export { b } from \"./b.js\";\nexport { c } from \"./c.js\";\n"),
        ];
        assert!(bundle(&modules, "e.js").ends_with("const b = c;export { b, c };\n"));
    }

    #[test]
    fn script_imports_shared_modules_from_sibling() {
        let beside = [MODULES[1], MODULES[2], ("d.js", "import { c } from \"./c.js\";\nlet d = c;\n")];
        let (first, [second]) = bundles(&beside, "b.js", ["d.js"]);
        assert_eq!(first, "const c = 1;const b = c;export { c };\n");
        assert_eq!(second, "import { c } from \"./b.js\";\nlet d = c;");
    }

    #[test]
    fn stylesheet_loses_comments_and_spaces() {
        assert_eq!(compact("/* a\n b */\n:root {\n  --a: 1; /* c */\n}\nb { c: d; }"), ":root{--a:1}b{c:d}");
    }
}
