//! The keys of `#[field(…)]`: reading them, and the code that sets them as options.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use regex_lite::Regex;
use syn::spanned::Spanned as _;
use syn::{Attribute, Expr, ExprArray, ExprLit, Lit, LitStr, Meta, Token};

use crate::docs;
use crate::errors::Errors;
use crate::keys::{Pair, no_flag, pairs, text};
use crate::places::{ends, local_at};

const FIELD_KEYS: [&str; 16] = [
    "label",
    "help",
    "default",
    "min",
    "max",
    "step",
    "min_len",
    "max_len",
    "pattern",
    "pattern_message",
    "placeholder",
    "choices",
    "multiline",
    "radio",
    "accept",
    "max_size",
];
/// Keys that mean `true` if they have no value.
const FLAGS: [&str; 2] = ["multiline", "radio"];
/// Keys whose value is a text in quotes.
const TEXTS: [(&str, &str); 6] = [
    ("label", "\"…\"`, the label of the input"),
    ("help", "\"…\"`, the hint under the input"),
    ("pattern", "\"[A-Z]{3}\"`, a regular expression"),
    ("pattern_message", "\"Enter three capital letters\"`, what to enter"),
    ("placeholder", "\"…\"`, the text in the empty input"),
    ("accept", "\".csv,text/csv\"`, the accepted file types"),
];
/// Keys whose value is never a text, whatever the type of the field. The compiler would say so too, but only once the
/// macro has no other mistake to report.
const NO_TEXTS: [(&str, &str); 5] = [
    ("step", "a number: write `step = 0.5`, without quotes"),
    ("min_len", "a number: write `min_len = 2`, without quotes"),
    ("max_len", "a number: write `max_len = 80`, without quotes"),
    ("max_size", "a number of bytes: write `max_size = 10 << 20` for 10 MiB, without quotes"),
    ("choices", "a list: write `choices = [\"…\", \"…\"]`"),
];
/// Keys of which the first may not be above the second.
const BOUNDS: [(&str, &str); 2] = [("min", "max"), ("min_len", "max_len")];

/// The keys of `#[field(…)]` on one parameter or member.
#[derive(Default)]
pub(crate) struct FieldArgs {
    /// Each key with its value, in the order they were written.
    set: Vec<(Ident, Expr)>,
}

impl FieldArgs {
    /// Reads the `#[field(…)]` attributes.
    pub(crate) fn read(attributes: &[Attribute], errors: &mut Errors) -> Self {
        let mut args = Self::default();
        for pair in pairs(tokens(attributes, errors), &FIELD_KEYS, errors) {
            let key = pair.key.clone();
            let name = key.to_string();
            if let Some((_, example)) = TEXTS.iter().find(|(text, _)| name == *text) {
                if let Some(text) = text(pair, example, errors).filter(|text| readable(&name, text, errors)) {
                    args.set.push((key, literal(text)));
                }
            } else if FIELD_KEYS.contains(&name.as_str())
                && let Some(value) = value(pair, errors)
            {
                args.set.push((key, value));
            }
        }
        check_bounds(&args.set, errors);
        let is_set = |name: &str| args.set.iter().any(|(key, _)| key == name);
        if let Some((key, _)) = args.set.iter().find(|(key, _)| key == "pattern_message")
            && !is_set("pattern")
        {
            errors.push(key, "`pattern_message` says what a `pattern` expects: add `pattern = \"…\"`");
        }
        args
    }

    /// Uses the doc comment as the hint, unless there is another.
    pub(crate) fn document(&mut self, attributes: &[Attribute]) {
        let text = docs::one_line(&docs::text(attributes.iter()));
        let place = attributes.iter().find(|attribute| attribute.path().is_ident("doc"));
        if let Some(place) = place.filter(|_| !text.is_empty() && self.help().is_none()) {
            self.set.push((Ident::new("help", place.span()), literal(LitStr::new(&text, Span::call_site()))));
        }
    }

    /// The first key that was written.
    pub(crate) fn first_key(&self) -> Option<&Ident> {
        self.set.first().map(|(key, _)| key)
    }

    /// The hint, if the author set one.
    pub(crate) fn help(&self) -> Option<&Expr> {
        self.set.iter().find(|(key, _)| key == "help").map(|(_, text)| text)
    }

    /// A closure that sets all options, so that rustc checks each value where it is written. The other tokens have the
    /// span of the field's type: errors about the type's options belong there, and rustc reports them once if they
    /// share a span.
    pub(crate) fn closure(
        &self,
        ty: &impl ToTokens,
        runtime_at: &dyn Fn(Span) -> TokenStream,
    ) -> TokenStream {
        let (place, _) = ends(ty);
        let options = local_at("options", ty);
        if self.set.is_empty() {
            return quote_spanned!(place=> |#options| #options);
        }
        let set = self.set.iter().map(|(key, value)| {
            let is_text = TEXTS.iter().any(|(text, _)| key == text);
            let value = if is_text { value.to_token_stream() } else { converted(value, runtime_at) };
            // In a block, so that a value of the wrong type is reported as such and not as a wrong argument of `Some`.
            let mut block = Group::new(Delimiter::Brace, value);
            block.set_span(Span::call_site().located_at(key.span()));
            quote_spanned!(key.span()=> #options.#key = ::core::option::Option::Some(#block);)
        });
        let set: Vec<TokenStream> = set.collect();
        quote_spanned!(place=> |mut #options| { #(#set)* #options })
    }
}

fn literal(text: LitStr) -> Expr {
    Expr::Lit(ExprLit { attrs: Vec::new(), lit: Lit::Str(text) })
}

/// Everything between the parentheses of all attributes.
pub(crate) fn tokens(attributes: &[Attribute], errors: &mut Errors) -> TokenStream {
    let mut tokens = TokenStream::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("field")) {
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
    tokens
}

/// True unless it is a pattern that is no regular expression.
fn readable(key: &str, text: &LitStr, errors: &mut Errors) -> bool {
    let pattern = (key == "pattern").then(|| Regex::new(&format!("^(?:{})$", text.value())));
    match pattern {
        Some(Err(error)) => {
            errors.push(text, format!("this pattern is not a valid regular expression: {error}"));
            false
        }
        _ => true,
    }
}

fn value(pair: Pair, errors: &mut Errors) -> Option<Expr> {
    let is_flag = FLAGS.iter().any(|flag| pair.key == flag);
    let stands_alone = pair.stands_alone();
    let Pair { key, value } = pair;
    match value {
        Ok(Expr::Lit(ExprLit { lit, .. })) if is_flag && !matches!(lit, Lit::Bool(_)) => {
            errors.push(lit, no_flag(&key));
            None
        }
        Ok(Expr::Lit(ExprLit { lit: Lit::Str(text), .. })) if no_text(&key).is_some() => {
            errors.push(text, format!("`{key}` must be {}", no_text(&key).unwrap_or_default()));
            None
        }
        Ok(value) => Some(value),
        Err(_) if is_flag && stands_alone => Some(syn::parse_quote_spanned!(key.span()=> true)),
        Err(at) if is_flag => {
            errors.push(at, no_flag(&key));
            None
        }
        Err(at) => {
            errors.push(at, format!("`{key}` needs a value: write `{key} = …`"));
            None
        }
    }
}

/// What the value of this key must be, if it cannot be a text.
fn no_text(key: &Ident) -> Option<&'static str> {
    NO_TEXTS.iter().find(|(name, _)| key == name).map(|(_, what)| *what)
}

/// A string literal converts into the text type of the field, and an array into a list of its values.
fn converted(value: &Expr, runtime_at: &dyn Fn(Span) -> TokenStream) -> TokenStream {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
            let runtime = runtime_at(text.span());
            quote_spanned!(text.span()=> #runtime::__private::FromText::from_text(#text))
        }
        Expr::Array(ExprArray { elems, bracket_token, .. }) => {
            let entries = elems.iter().map(|entry| converted(entry, runtime_at));
            quote_spanned!(bracket_token.span.join()=> <[_]>::into_vec(::std::boxed::Box::new([#(#entries),*])))
        }
        other => other.to_token_stream(),
    }
}

/// Bounds that leave nothing between them, as far as they are plain numbers.
fn check_bounds(given: &[(Ident, Expr)], errors: &mut Errors) {
    let find = |name: &str| given.iter().find(|(key, _)| key == name);
    for (low, high) in BOUNDS {
        if let (Some((_, least)), Some((_, most))) = (find(low), find(high))
            && let (Some(least), Some(value)) = (number(least), number(most))
            && least > value
        {
            errors.push(
                most,
                format!(
                    "no value is between `{low}` and `{high}`: write a `{high}` that is not below `{low}`"
                ),
            );
        }
    }
}

/// The value of a plain number.
fn number(value: &Expr) -> Option<f64> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) => number.base10_parse().ok(),
        Expr::Lit(ExprLit { lit: Lit::Float(number), .. }) => number.base10_parse().ok(),
        Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Neg(_)) => {
            number(&unary.expr).map(|number| -number)
        }
        _ => None,
    }
}
