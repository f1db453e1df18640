//! JSON Schema of files: their content in Base64, or the address of a file of an earlier run.

use serde_json::{Value, json};

use crate::field::json::MAX_FILE_NAME;
use crate::field::{Accepted, accepted};

/// Canonical Base64, as RFC 4648 requires it: padded, and without bits that mean nothing.
const BASE64: &str = "^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$";

pub(super) fn schema(accept: Option<&str>, max_size: u64) -> Value {
    let longest = max_size.div_ceil(3).saturating_mul(4);
    let mut content = json!({
        "type": "string", "contentEncoding": "base64", "pattern": BASE64, "maxLength": longest,
    });
    // The longest content has padding, unless the size is a multiple of three.
    let too_long = match max_size % 3 {
        0 => None,
        1 => Some("[^=].$"),
        _ => Some("[^=]$"),
    };
    if let Some(pattern) = too_long {
        content["not"] = json!({ "type": "string", "minLength": longest, "pattern": pattern });
    }
    let mut file = json!({
        "type": "object",
        "properties": {
            "name": { "type": "string", "maxLength": MAX_FILE_NAME },
            "type": { "type": "string", "description": "The media type." },
            "content": content,
        },
        "required": ["content"],
    });
    let accepted: Vec<Accepted> = accept.into_iter().flat_map(accepted).collect();
    let endings: Vec<String> = accepted.iter().filter_map(ending).collect();
    let types: Vec<String> = accepted.iter().filter_map(media_type).collect();
    let named = (!endings.is_empty()).then(|| format!("(?:{})$", endings.join("|")));
    let typed = (!types.is_empty()).then(|| format!("^(?:{})$", types.join("|")));
    match (named, typed) {
        _ if accepted.contains(&Accepted::Any) => {}
        (Some(named), None) => {
            file["properties"]["name"]["pattern"] = json!(named);
            file["required"] = json!(["name", "content"]);
        }
        (None, Some(typed)) => {
            file["properties"]["type"]["pattern"] = json!(typed);
            file["required"] = json!(["type", "content"]);
        }
        (Some(named), Some(typed)) => {
            file["anyOf"] = json!([
                { "properties": { "name": { "pattern": named } }, "required": ["name"] },
                { "properties": { "type": { "pattern": typed } }, "required": ["type"] },
            ]);
        }
        (None, None) => {}
    }
    let earlier = json!({
        "type": "string",
        "pattern": "^(?:.*/)?runs/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/inputs/[^/]+$",
        "description": "The address of a file of an earlier run, which is used again.",
    });
    json!({ "anyOf": [file, earlier] })
}

fn ending(accepted: &Accepted) -> Option<String> {
    match accepted {
        Accepted::Ending(ending) => Some(ignoring_case(ending)),
        _ => None,
    }
}

fn media_type(accepted: &Accepted) -> Option<String> {
    match accepted {
        Accepted::Type(one) => Some(ignoring_case(one)),
        Accepted::Family(family) => Some(format!("{}[A-Za-z0-9.+-]+", ignoring_case(family))),
        Accepted::Any | Accepted::Ending(_) => None,
    }
}

/// Matches this text in upper and lower case.
fn ignoring_case(text: &str) -> String {
    let one = |c: char| match c {
        c if c.is_ascii_alphabetic() => format!("[{}{}]", c.to_ascii_lowercase(), c.to_ascii_uppercase()),
        c if c.is_ascii_alphanumeric() || c == '/' || c == '-' || !c.is_ascii() => c.to_string(),
        c => format!("\\{c}"),
    };
    text.chars().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepted_files_are_patterns() {
        let files = |accept| schema(accept, 9)["anyOf"][0].clone();
        assert_eq!(
            files(Some(".csv,.TXT"))["properties"]["name"]["pattern"],
            r"(?:\.[cC][sS][vV]|\.[tT][xX][tT])$"
        );
        let image = files(Some("image/*"));
        assert_eq!(image["properties"]["type"]["pattern"], "^(?:[iI][mM][aA][gG][eE]/[A-Za-z0-9.+-]+)$");
        assert_eq!(image["required"], json!(["type", "content"]));
        assert_eq!(files(Some(".csv, text/csv"))["anyOf"].as_array().map(Vec::len), Some(2));
        assert_eq!(files(Some(".csv,*/*")).get("anyOf"), None);
        assert_eq!(files(None)["properties"]["content"]["maxLength"], 12);
    }
}
