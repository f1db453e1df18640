//! Checks the placeholders of `confirm = "…"`: each names a field of the form.

use syn::LitStr;

use crate::errors::Errors;
use crate::keys::{list, nearest};

/// Reports an empty question, and placeholders that are no fields.
pub(crate) fn check(question: &LitStr, fields: &[&str], errors: &mut Errors) {
    let text = question.value();
    if text.trim().is_empty() {
        errors.push(question, "the question is empty: write `confirm = \"Really delete them all?\"`");
    }
    match names(&text) {
        Err(brace) => errors.push(
            question,
            format!(
                "this `{brace}` belongs to no placeholder: write `{brace}{brace}` for the character, or the name of \
                 a field in braces, as in `confirm = \"Delete {{count}} customers?\"`"
            ),
        ),
        Ok(names) => {
            if let Some(name) = names.iter().find(|name| !fields.contains(&name.as_str())) {
                errors.push(question, unknown(name, fields));
            }
        }
    }
}

fn unknown(name: &str, fields: &[&str]) -> String {
    match nearest(name, fields) {
        Some(near) => format!("there is no field `{name}`: did you mean `{{{near}}}`?"),
        None if fields.is_empty() => {
            format!("`{{{name}}}` is the value of a field, and this process has none: remove it")
        }
        None => format!("there is no field `{name}`: the fields are {}", list(fields)),
    }
}

/// The names in braces, or the brace that has no partner. `{{` and `}}` are the characters themselves.
fn names(text: &str) -> Result<Vec<String>, char> {
    let (mut names, mut rest) = (Vec::new(), text);
    while let Some(place) = rest.find(['{', '}']) {
        let (brace, after) = (rest[place..].starts_with('{'), &rest[place + 1..]);
        rest = match (brace, after.split_once('}')) {
            (true, _) if after.starts_with('{') => &after[1..],
            (false, _) if after.starts_with('}') => &after[1..],
            (true, Some((name, after))) => {
                names.push(name.trim().to_owned());
                after
            }
            (true, None) => return Err('{'),
            (false, _) => return Err('}'),
        };
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_are_names_in_braces() {
        let names = |text| names(text).map(|names| names.join(" "));
        assert_eq!(names("Delete {count} of { kind }?"), Ok("count kind".into()));
        assert_eq!(names("{{count}} ü {n}}}?"), Ok("n".into()));
        assert_eq!(names("50 {"), Err('{'));
        assert_eq!(names("50 } {n}"), Err('}'));
    }
}
