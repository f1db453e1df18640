//! Owns the keys inside `#[process(…)]` and `#[field(…)]`: reading them, and who may stand there.
//! Refuses to know the function they belong to, and whether a value makes sense for it.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt as _;
use syn::parse::{ParseStream, Parser as _};
use syn::{Attribute, Expr, ExprLit, Ident, Lit, LitStr, Meta, Path, Token};

use crate::errors::Errors;

const PROCESS_KEYS: [&str; 5] = ["title", "name", "route", "group", "crate"];
const FIELD_KEYS: [&str; 3] = ["label", "help", "default"];

/// What `#[process(…)]` says, as far as it could be read.
#[derive(Default)]
pub(crate) struct ProcessArgs {
    pub(crate) title: Option<LitStr>,
    pub(crate) name: Option<Ident>,
    pub(crate) route: Option<LitStr>,
    pub(crate) group: Option<LitStr>,
    pub(crate) runtime: Option<Path>,
    /// Something was meant to be the title, and that it is none was reported.
    pub(crate) title_reported: bool,
    /// The same of the name of the type.
    pub(crate) name_reported: bool,
}

/// What the `#[field(…)]` of one parameter says.
#[derive(Default)]
pub(crate) struct FieldArgs {
    /// Each with its key, where rustc reports that the parameter takes no such option.
    pub(crate) label: Option<(Ident, LitStr)>,
    pub(crate) help: Option<(Ident, LitStr)>,
    pub(crate) default: Option<(Ident, Expr)>,
}

impl ProcessArgs {
    /// Reads everything between the parentheses of `#[process(…)]`.
    pub(crate) fn read(tokens: TokenStream, errors: &mut Errors) -> Self {
        let mut args = Self::default();
        for pair in pairs(tokens, &PROCESS_KEYS, errors) {
            match pair.key.to_string().as_str() {
                "title" => {
                    args.title = text(pair, "\"…\"`, the heading people see", errors);
                    args.title_reported = args.title.is_none();
                }
                "route" => args.route = text(pair, "\"import-users\"`", errors),
                "group" => args.group = text(pair, "\"admin\"`", errors),
                "name" => {
                    args.name = name(pair, errors);
                    args.name_reported = args.name.is_none();
                }
                "crate" => args.runtime = path(pair, errors),
                // Reported as unknown; what it was meant to be is not reported as missing.
                unknown => args.title_reported |= nearest(unknown, &PROCESS_KEYS) == Some("title"),
            }
        }
        args
    }
}

impl FieldArgs {
    /// Reads the `#[field(…)]` attributes of one parameter.
    pub(crate) fn read(attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut args = Self::default();
        let mut tokens = TokenStream::new();
        for attribute in attributes {
            match &attribute.meta {
                Meta::List(list) => {
                    if !tokens.is_empty() {
                        <Token![,]>::default().to_tokens(&mut tokens);
                    }
                    tokens.extend(list.tokens.clone());
                }
                other => errors.push(other, "write `#[field(label = \"…\", help = \"…\", default = …)]`"),
            }
        }
        for pair in pairs(tokens, &FIELD_KEYS, errors) {
            let key = pair.key.clone();
            match key.to_string().as_str() {
                "label" => {
                    let label = text(pair, "\"…\"`, the text beside the input", errors);
                    args.label = label.map(|label| (key, label));
                }
                "help" => {
                    let help = text(pair, "\"…\"`, the hint under the input", errors);
                    args.help = help.map(|help| (key, help));
                }
                "default" => match pair.value {
                    Ok(value) => args.default = Some((key, value)),
                    Err(at) => errors.push(at, "`default` needs a value: write `default = 10`"),
                },
                _ => {}
            }
        }
        args
    }
}

/// One `key = value`, with `Err(what stands there instead)` where no value could be read.
struct Pair {
    key: Ident,
    value: Result<Expr, TokenStream>,
}

/// Reads `key = value, …`. Keys that are unknown or given before are reported; unknown ones are returned.
fn pairs(tokens: TokenStream, known: &[&str], errors: &mut Errors) -> Vec<Pair> {
    let mut found: Vec<Pair> = Vec::new();
    let parse = |input: ParseStream<'_>| {
        while !input.is_empty() {
            let Some(pair) = pair(input, known, errors) else { continue };
            let name = pair.key.to_string();
            if found.iter().any(|other| other.key == pair.key) {
                errors.push(&pair.key, format!("`{name}` is given twice: remove one of them"));
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
        until_comma(input);
        return Some(Pair { value: Err(key.to_token_stream()), key });
    };
    if input.peek(Ident::peek_any) {
        errors.push_at(input.span(), "put a comma before this key");
    } else {
        let rest = until_comma(input);
        if !rest.is_empty() {
            errors.push(rest, format!("this does not belong to the value of `{key}`: put a comma before it"));
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

/// Takes the `=`.
fn equals(input: ParseStream<'_>) -> TokenStream {
    input.parse::<Token![=]>().map(ToTokens::into_token_stream).unwrap_or_default()
}

/// Takes everything up to the next comma, and the comma.
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
fn text(pair: Pair, example: &str, errors: &mut Errors) -> Option<LitStr> {
    let Pair { key, value } = pair;
    match value {
        Ok(Expr::Lit(ExprLit { lit: Lit::Str(text), attrs })) if attrs.is_empty() => return Some(text),
        Ok(other) => errors.push(other, format!("`{key}` is a text in quotes: write `{key} = {example}")),
        Err(at) => errors.push(at, format!("this is no `{key} = value`: write `{key} = {example}")),
    }
    None
}

/// The value when it is a plain name.
fn name(pair: Pair, errors: &mut Errors) -> Option<Ident> {
    let at = match pair.value {
        Ok(Expr::Path(path)) if path.path.get_ident().is_some() => return path.path.get_ident().cloned(),
        Ok(other) => other.into_token_stream(),
        Err(at) => at,
    };
    errors.push(at, "`name` is the name of a type: write `name = ImportUsers`, without quotes");
    None
}

/// The value when it is a path.
fn path(pair: Pair, errors: &mut Errors) -> Option<Path> {
    let at = match pair.value {
        Ok(Expr::Path(path)) if path.qself.is_none() => return Some(path.path),
        Ok(other) => other.into_token_stream(),
        Err(at) => at,
    };
    errors.push(
        at,
        "`crate` is the path of process-runtime: write `crate = ::process_runtime`, without quotes",
    );
    None
}

/// The known key that an unknown one was probably meant to be.
fn nearest<'a>(unknown: &str, known: &[&'a str]) -> Option<&'a str> {
    let unknown = unknown.to_lowercase();
    let likeness = |key: &str| strsim::jaro_winkler(&unknown, key);
    let best = known.iter().copied().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    best.filter(|key| likeness(key) > 0.75)
}

/// `title`, `name` and so on, for a message.
fn list(keys: &[&str]) -> String {
    let quoted: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    quoted.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_near_key_is_suggested_and_a_far_one_is_not() {
        assert_eq!(nearest("titel", &PROCESS_KEYS), Some("title"));
        assert_eq!(nearest("Title", &PROCESS_KEYS), Some("title"));
        assert_eq!(nearest("rute", &PROCESS_KEYS), Some("route"));
        assert_eq!(nearest("groups", &PROCESS_KEYS), Some("group"));
        assert_eq!(nearest("timeout", &PROCESS_KEYS), None);
        assert_eq!(nearest("exclusive", &PROCESS_KEYS), None);
        assert_eq!(nearest("min", &FIELD_KEYS), None);
    }
}
