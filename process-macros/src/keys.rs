//! Parses `key = value, …` in an attribute, and reports bad keys and values.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Expr, ExprLit, Ident, Lit, LitStr, Path, Token};

use crate::errors::Errors;

/// One `key = value`, with `Err(what stands there instead)` where no value could be read.
pub(crate) struct Pair {
    pub(crate) key: Ident,
    pub(crate) value: Result<Expr, TokenStream>,
}

impl Pair {
    /// True for a key without a value, which means `true`.
    pub(crate) fn stands_alone(&self) -> bool {
        matches!(&self.value, Err(at) if self.key == at.to_string())
    }
}

/// Parses `key = value, …`. Unknown and repeated keys are reported; unknown ones are returned.
pub(crate) fn pairs(tokens: TokenStream, known: &[&str], errors: &mut Errors) -> Vec<Pair> {
    let mut found: Vec<Pair> = Vec::new();
    let parse = |input: ParseStream<'_>| {
        while !input.is_empty() {
            let Some(pair) = pair(input, known, errors) else { continue };
            let name = pair.key.to_string();
            if found.iter().any(|other| other.key == pair.key) {
                errors.push(&pair.key, format!("`{name}` is set twice: remove one of them"));
                continue;
            }
            if !known.contains(&name.as_str()) {
                let keys = list(known);
                let message = match nearest(&name, known) {
                    Some(near) => format!("unknown key `{name}`: did you mean `{near}`?"),
                    None => format!("unknown key `{name}`: the keys are {keys}"),
                };
                errors.push(&pair.key, message);
            }
            found.push(pair);
        }
        Ok(())
    };
    if let Err(error) = parse.parse2(tokens) {
        errors.push_at(error.span(), error.to_string());
    }
    found
}

/// Reads one pair and the comma after it; `None` when it does not begin with a key, which is reported.
fn pair(input: ParseStream<'_>, known: &[&str], errors: &mut Errors) -> Option<Pair> {
    if let Ok(value) = input.parse::<LitStr>() {
        // `#[process("…")]`: the first key is the one a lone text is meant for.
        until_comma(input);
        return Some(Pair {
            key: Ident::new(known.first()?, value.span()),
            value: Err(value.into_token_stream()),
        });
    }
    let Ok(key) = input.call(Ident::parse_any) else {
        let keys = list(known);
        errors.push(until_comma(input), format!("write `key = value` here; the keys are {keys}"));
        return None;
    };
    let value = if input.peek(Token![=]) && !input.peek(Token![==]) {
        let sign = equals(input);
        match input.fork().parse::<Expr>() {
            Ok(_) => input.parse().map(without_group).map_err(|error| error.to_compile_error()),
            Err(_) => {
                let rest = until_comma(input);
                Err(if rest.is_empty() { sign } else { rest })
            }
        }
    } else {
        let mut at = key.to_token_stream();
        at.extend(until_comma(input));
        return Some(Pair { value: Err(at), key });
    };
    if input.peek(Ident::peek_any) {
        errors.push_at(input.span(), "add a comma before this key");
    } else {
        let rest = until_comma(input);
        if !rest.is_empty() {
            errors
                .push(rest, format!("unexpected tokens after the value of `{key}`: add a comma before them"));
        }
    }
    Some(Pair { key, value })
}

/// A `macro_rules!` parameter arrives inside an invisible group.
fn without_group(value: Expr) -> Expr {
    match value {
        Expr::Group(group) => without_group(*group.expr),
        other => other,
    }
}

/// Parses the `=`.
fn equals(input: ParseStream<'_>) -> TokenStream {
    input.parse::<Token![=]>().map(ToTokens::into_token_stream).unwrap_or_default()
}

/// Consumes everything up to and including the next comma.
fn until_comma(input: ParseStream<'_>) -> TokenStream {
    let mut taken = TokenStream::new();
    while !input.is_empty() {
        if input.parse::<Token![,]>().is_ok() {
            break;
        }
        taken.extend(input.parse::<TokenTree>());
    }
    taken
}

/// The value when it is a text in quotes.
pub(crate) fn text(pair: Pair, example: &str, errors: &mut Errors) -> Option<LitStr> {
    let Pair { key, value } = pair;
    match value {
        Ok(Expr::Lit(ExprLit { lit: Lit::Str(text), attrs })) if attrs.is_empty() => return Some(text),
        Ok(other) => {
            errors.push(other, format!("`{key}` must be a string literal: write `{key} = {example}"));
        }
        Err(at) => errors.push(at, format!("expected `{key} = value`: write `{key} = {example}")),
    }
    None
}

/// The value when it is a plain name.
pub(crate) fn name(pair: Pair, what: &str, example: &str, errors: &mut Errors) -> Option<Ident> {
    let Pair { key, value } = pair;
    let at = match value {
        Ok(Expr::Path(path)) if path.path.get_ident().is_some() => return path.path.get_ident().cloned(),
        Ok(other) => other.into_token_stream(),
        Err(at) => at,
    };
    errors.push(at, format!("`{key}` must be {what}: write `{key} = {example}`, without quotes"));
    None
}

/// The value when it is a path.
pub(crate) fn path(pair: Pair, example: &str, errors: &mut Errors) -> Option<Path> {
    let Pair { key, value } = pair;
    let quoted = matches!(&value, Ok(Expr::Lit(_)));
    let at = match value {
        Ok(Expr::Path(path)) if path.qself.is_none() => return Some(path.path),
        Ok(other) => other.into_token_stream(),
        Err(at) => at,
    };
    let hint = if quoted { ", without quotes" } else { "" };
    let what = match key.to_string().as_str() {
        "crate" => "the path of process-runtime",
        _ => "the path of a function",
    };
    errors.push(at, format!("`{key}` must be {what}: write `{key} = {example}`{hint}"));
    None
}

/// The error for a flag that is neither alone nor `true` or `false`.
pub(crate) fn no_flag(key: &Ident) -> String {
    format!("write `{key}` alone, followed by a comma, or `{key} = true` or `{key} = false`")
}

/// The known key that is most similar to an unknown one.
pub(crate) fn nearest<'a>(unknown: &str, known: &[&'a str]) -> Option<&'a str> {
    let unknown = unknown.to_lowercase();
    let likeness = |key: &str| strsim::jaro_winkler(&unknown, key);
    let best = known.iter().copied().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    best.filter(|key| likeness(key) > 0.75)
}

/// `title`, `name` and so on, for a message.
pub(crate) fn list(keys: &[&str]) -> String {
    let quoted: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: [&str; 5] = ["title", "route", "group", "exclusive", "timeout"];

    #[test]
    fn only_a_near_key_is_suggested() {
        assert_eq!(nearest("titel", &KEYS), Some("title"));
        assert_eq!(nearest("Title", &KEYS), Some("title"));
        assert_eq!(nearest("rute", &KEYS), Some("route"));
        assert_eq!(nearest("groups", &KEYS), Some("group"));
        assert_eq!(nearest("exclusiv", &KEYS), Some("exclusive"));
        assert_eq!(nearest("time_out", &KEYS), Some("timeout"));
        assert_eq!(nearest("schedule", &KEYS), None);
        assert_eq!(nearest("queue", &KEYS), None);
    }
}
