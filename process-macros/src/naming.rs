//! Derives a type name and a route from the name of a function, and checks routes.
//!
//! The rule: the type is the function's name in UpperCamelCase, without `r#` and with every letter of
//! every alphabet kept; the route is the type's name in kebab-case.

use heck::{ToKebabCase, ToSnakeCase, ToUpperCamelCase};

/// First segments that belong to the runtime's own pages.
const RESERVED: [&str; 12] = [
    "runs",
    "events",
    "channels",
    "nodes",
    "assets",
    "metrics",
    "healthz",
    "readyz",
    "mcp",
    "tokens",
    "schedules",
    "openapi.json",
];

/// `recalculate_prices` → `RecalculatePrices`.
///
/// `None` when nothing is left to name a type: `__`, `_1`, `self_`.
pub(crate) fn type_name(function: &str) -> Option<String> {
    let name = function.trim_start_matches("r#").to_upper_camel_case();
    is_name(&name).then_some(name)
}

/// `RecalculatePrices` → `recalculate-prices`.
pub(crate) fn route(type_name: &str) -> String {
    type_name.trim_start_matches("r#").to_kebab_case()
}

/// `RecalculatePrices` → `Recalculate prices`: a first idea for a title.
pub(crate) fn sentence(type_name: &str) -> String {
    let words = type_name.to_snake_case().replace('_', " ");
    let mut letters = words.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters.clone()).collect()
}

/// `NorthWest` → `north_west`: the value of an enum's variant.
pub(crate) fn value(variant: &str) -> String {
    variant.trim_start_matches("r#").to_snake_case()
}

/// True if an item can have this name. `Self` is a path of one word, but not a name.
pub(crate) fn is_name(word: &str) -> bool {
    syn::parse_str::<syn::Ident>(word).is_ok()
}

/// True when the compiler has nothing against it as the name of a type.
pub(crate) fn is_type_name(name: &str) -> bool {
    let plain = name.trim_start_matches("r#");
    is_name(name) && !plain.contains('_') && plain.chars().next().is_some_and(|first| !first.is_lowercase())
}

/// True for lower-case letters and digits, with single `-` between them.
pub(crate) fn is_segment(text: &str) -> bool {
    let lower = |letter: char| letter.is_alphanumeric() && letter.to_lowercase().eq([letter]);
    text.split('-').all(|word| !word.is_empty() && word.chars().all(lower))
}

/// A valid segment similar to an invalid one.
pub(crate) fn nearest_segment(text: &str) -> Option<String> {
    let last = text.trim_matches('/').rsplit('/').next().unwrap_or_default();
    Some(last.to_kebab_case()).filter(|segment| is_segment(segment))
}

/// True for a first segment that the runtime's own pages need.
pub(crate) fn is_reserved(segment: &str) -> bool {
    RESERVED.contains(&segment)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runtime_segments_are_reserved() {
        for segment in ["runs", "channels", "nodes", "metrics", "healthz", "tokens", "schedules"] {
            assert!(is_reserved(segment), "{segment}");
        }
        assert!(!is_reserved("run") && !is_reserved("imports"));
    }

    fn names(function: &str) -> (String, String) {
        let name = type_name(function).unwrap();
        let route = route(&name);
        (name, route)
    }

    fn pair(name: &str, route: &str) -> (String, String) {
        (name.to_owned(), route.to_owned())
    }

    #[test]
    fn words_digits_acronyms_and_underscores() {
        assert_eq!(names("recalculate_prices"), pair("RecalculatePrices", "recalculate-prices"));
        assert_eq!(names("sync_http2_v2"), pair("SyncHttp2V2", "sync-http2-v2"));
        assert_eq!(names("sync2"), pair("Sync2", "sync2"));
        assert_eq!(names("_private__words_"), pair("PrivateWords", "private-words"));
        assert_eq!(names("camelCase"), pair("CamelCase", "camel-case"));
        assert_eq!(names("import_CSV_file"), pair("ImportCsvFile", "import-csv-file"));
        assert_eq!(route("HTTPSync"), "http-sync");
    }

    #[test]
    fn raw_identifiers_lose_their_prefix() {
        assert_eq!(names("r#move"), pair("Move", "move"));
        assert_eq!(route("r#Move"), "move");
    }

    #[test]
    fn letters_of_every_alphabet_are_kept() {
        assert_eq!(names("größe_neu"), pair("GrößeNeu", "größe-neu"));
        assert_eq!(names("обновить_цены"), pair("ОбновитьЦены", "обновить-цены"));
        assert_eq!(names("価格"), pair("価格", "価格"));
        for route in ["größe-neu", "обновить-цены", "価格"] {
            assert!(is_segment(route), "{route}");
        }
    }

    #[test]
    fn name_without_letter_makes_no_type() {
        for function in ["__", "_1", "self_", "_2fast"] {
            assert_eq!(type_name(function), None, "{function}");
        }
    }

    #[test]
    fn bad_segment_suggests_nearest_valid() {
        for good in ["a", "backup-system", "v2", "2024", "größe"] {
            assert!(is_segment(good), "{good}");
        }
        for bad in ["", "-", "a-", "-a", "a--b", "A", "a b", "a/b", "a_b", "a.b", "ä%", "{id}", "*"] {
            assert!(!is_segment(bad), "{bad}");
        }
    }

    #[test]
    fn segments_are_kebab_case() {
        assert_eq!(nearest_segment("Recalculate Prices").as_deref(), Some("recalculate-prices"));
        assert_eq!(nearest_segment("/admin/backup_system/").as_deref(), Some("backup-system"));
        assert_eq!(nearest_segment("///"), None);
    }

    #[test]
    fn title_is_suggested_as_sentence() {
        assert_eq!(sentence("RecalculatePrices"), "Recalculate prices");
    }

    #[test]
    fn type_names_are_pascal_case() {
        assert!(is_type_name("Prices") && is_type_name("価格") && is_type_name("HTTPSync"));
        assert!(!is_type_name("prices") && !is_type_name("Sync_All") && !is_type_name("_Sync"));
        assert!(!is_type_name("Self"));
    }
}
