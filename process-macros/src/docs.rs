//! Reads doc comments as descriptions and hints.

use syn::{Attribute, Expr, ExprLit, Lit, Meta, MetaNameValue};

/// The lines of a doc comment, without the space that follows each `///`.
pub(crate) fn text<'a>(attributes: impl Iterator<Item = &'a Attribute>) -> String {
    let lines = attributes.filter(|attribute| attribute.path().is_ident("doc"));
    let lines = lines.filter_map(|attribute| match &attribute.meta {
        Meta::NameValue(MetaNameValue { value: Expr::Lit(ExprLit { lit: Lit::Str(text), .. }), .. }) => {
            Some(text.value())
        }
        _ => None,
    });
    let text: Vec<String> = lines.collect();
    let text = text.join("\n");
    let lines: Vec<&str> = text.lines().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    lines.join("\n").trim().to_owned()
}

/// A text without its line ends.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first paragraph without its full stop, and the rest: a label and a hint.
pub(crate) fn label(text: &str) -> (String, String) {
    let (first, rest) = text.split_once("\n\n").unwrap_or((text, ""));
    let first = one_line(first);
    let label = first.strip_suffix('.').filter(|label| !label.ends_with('.')).unwrap_or(&first);
    (label.to_owned(), one_line(rest))
}
