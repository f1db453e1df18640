//! Patterns of texts as JSON Schema writes them, so that every validator reads them as the server does.

/// The same pattern without what means something else in other dialects: `\d`, `\w`, `\s` and `.` are more characters in some,
/// and fewer in others.
pub(super) fn portable(pattern: &str) -> String {
    let mut portable = String::from("^(?:");
    let mut is_in_set = false;
    let mut characters = pattern.chars();
    while let Some(c) = characters.next() {
        let class = match c {
            '\\' => {
                let escaped = characters.next().unwrap_or('\\');
                let class = match (escaped, is_in_set) {
                    ('d', true) => Some("0-9"),
                    ('w', true) => Some("0-9A-Za-z_"),
                    ('s', true) => Some(r"\t\n\v\f\r "),
                    ('d', false) => Some("[0-9]"),
                    ('D', false) => Some("[^0-9]"),
                    ('w', false) => Some("[0-9A-Za-z_]"),
                    ('W', false) => Some("[^0-9A-Za-z_]"),
                    ('s', false) => Some(r"[\t\n\v\f\r ]"),
                    ('S', false) => Some(r"[^\t\n\v\f\r ]"),
                    _ => None,
                };
                if class.is_none() {
                    portable.extend(['\\', escaped]);
                }
                class.or(Some(""))
            }
            '.' if !is_in_set => Some(r"[^\n]"),
            '[' => {
                is_in_set = true;
                None
            }
            ']' => {
                is_in_set = false;
                None
            }
            _ => None,
        };
        match class {
            Some(class) => portable.push_str(class),
            None => portable.push(c),
        }
    }
    portable + ")$"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_written_out() {
        assert_eq!(portable(r"\d{4}-[\dA-F]+"), "^(?:[0-9]{4}-[0-9A-F]+)$");
        assert_eq!(portable(r"a.c\.[.]"), r"^(?:a[^\n]c\.[.])$");
        assert_eq!(portable(r"\w+\s\S\\d"), r"^(?:[0-9A-Za-z_]+[\t\n\v\f\r ][^\t\n\v\f\r ]\\d)$");
        assert_eq!(portable("[0-9]{5}|x"), "^(?:[0-9]{5}|x)$");
    }
}
