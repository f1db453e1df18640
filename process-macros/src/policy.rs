//! The keys of `#[process(…)]` about queueing and retries, and the code generated for them.

use std::ops::RangeInclusive;

use proc_macro2::{Literal, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt as _;
use syn::{Expr, ExprLit, Ident, Lit, UnOp};

use crate::errors::Errors;
use crate::keys::{self, Pair, text};

const CONCURRENCY: RangeInclusive<i64> = 1..=1000;
const PRIORITY: RangeInclusive<i64> = -1000..=1000;
const RETRIES: RangeInclusive<i64> = 0..=100;

/// The queueing keys of `#[process(…)]`, as far as they could be parsed.
#[derive(Default)]
pub(crate) struct PolicyArgs {
    /// The parameter whose value is the concurrency key.
    pub(crate) concurrency_key: Option<Ident>,
    concurrency: Option<i64>,
    /// The key, if it is set.
    exclusive: Option<Ident>,
    priority: Option<i64>,
    /// In milliseconds.
    timeout: Option<u64>,
    retries: Option<i64>,
    /// The same.
    backoff: Option<u64>,
    /// The keys that are present, whether or not their values are valid.
    written: Vec<Ident>,
}

impl PolicyArgs {
    /// Reads one key–value pair with a queueing key.
    pub(crate) fn read(&mut self, pair: Pair, errors: &mut Errors) {
        self.written.push(pair.key.clone());
        match pair.key.to_string().as_str() {
            "concurrency" => self.concurrency = number(pair, &CONCURRENCY, "3", errors),
            "concurrency_key" => {
                self.concurrency_key = keys::name(pair, "the name of a parameter", "customer", errors);
            }
            "exclusive" => self.exclusive = flag(pair, errors),
            "priority" => self.priority = number(pair, &PRIORITY, "10", errors),
            "timeout" => self.timeout = duration(pair, "10m", errors),
            "retries" => self.retries = number(pair, &RETRIES, "3", errors),
            _ => self.backoff = duration(pair, "10s", errors),
        }
    }

    /// Reports keys that conflict.
    pub(crate) fn check(&self, errors: &mut Errors) {
        if let Some(exclusive) = &self.exclusive {
            let shared = match (&self.concurrency_key, self.concurrency) {
                (Some(name), _) => Some(format!("concurrency_key = {name}")),
                (None, Some(places @ 2..)) => Some(format!("concurrency = {places}")),
                _ => None,
            };
            if let Some(shared) = shared {
                let message = format!(
                    "an exclusive process has one active run, so it cannot have a concurrency limit: \
                     remove `exclusive` or `{shared}`"
                );
                errors.push(exclusive, message);
            }
        }
        let find = |name: &str| self.written.iter().find(|key| *key == name);
        if let (Some(backoff), None) = (find("backoff"), find("retries")) {
            let message = "`backoff` is the delay before a retry: \
                           add `retries = 3`, or remove `backoff`";
            errors.push(backoff, message);
        }
    }

    /// The policy, with defaults for the missing keys.
    pub(crate) fn code(&self, runtime: &TokenStream) -> TokenStream {
        let number = |value: i64| Literal::i64_unsuffixed(value).into_token_stream();
        let some = |value: TokenStream| quote!(::core::option::Option::Some(#value));
        let time = |value: u64| {
            let value = Literal::u64_unsuffixed(value);
            quote!(::core::time::Duration::from_millis(#value))
        };
        let key = self.concurrency_key.as_ref().map(|name| name.unraw().to_string());
        let members = [
            self.concurrency.map(|places| (quote!(concurrency), number(places))),
            key.map(|name| (quote!(concurrency_key), some(quote!(#name)))),
            self.exclusive.as_ref().map(|_| (quote!(exclusive), quote!(true))),
            self.priority.map(|priority| (quote!(priority), number(priority))),
            self.timeout.map(|timeout| (quote!(timeout), some(time(timeout)))),
            self.retries.map(|retries| (quote!(retries), number(retries))),
            self.backoff.map(|backoff| (quote!(backoff), time(backoff))),
        ];
        let members: Vec<TokenStream> =
            members.into_iter().flatten().map(|(member, value)| quote!(#member: #value,)).collect();
        if members.is_empty() {
            return quote!(#runtime::__private::Policy::DEFAULT);
        }
        quote!(#runtime::__private::Policy { #(#members)* ..#runtime::__private::Policy::DEFAULT })
    }
}

/// The value, if it is a whole number in the range.
fn number(pair: Pair, range: &RangeInclusive<i64>, example: &str, errors: &mut Errors) -> Option<i64> {
    let Pair { key, value } = pair;
    let what = format!("a whole number from {} to {}", range.start(), range.end());
    match value {
        Ok(value) => {
            let number = whole(&value).filter(|number| range.contains(number));
            if number.is_none() {
                errors.push(value, format!("`{key}` must be {what}: write `{key} = {example}`"));
            }
            number
        }
        Err(at) => {
            errors.push(at, format!("expected `{key} = value`: write `{key} = {example}`, {what}"));
            None
        }
    }
}

/// The value of an integer literal without a suffix.
fn whole(value: &Expr) -> Option<i64> {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Int(number), .. }) if number.suffix().is_empty() => {
            number.base10_parse().ok()
        }
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => {
            whole(&unary.expr).filter(|number| *number >= 0).map(|number| -number)
        }
        _ => None,
    }
}

/// The key, if it is alone or `true`.
fn flag(pair: Pair, errors: &mut Errors) -> Option<Ident> {
    if pair.stands_alone() {
        return Some(pair.key);
    }
    let Pair { key, value } = pair;
    let at = match value {
        Ok(Expr::Lit(ExprLit { lit: Lit::Bool(yes), .. })) => return Some(key).filter(|_| yes.value),
        Ok(other) => other.into_token_stream(),
        Err(at) => at,
    };
    errors.push(at, keys::no_flag(&key));
    None
}

/// The milliseconds of a value that is a text such as `1h 30m`.
fn duration(pair: Pair, example: &str, errors: &mut Errors) -> Option<u64> {
    let key = pair.key.clone();
    let text = text(pair, &format!("\"{example}\"`, a duration"), errors)?;
    let read = humantime::parse_duration(&text.value()).ok();
    let message = match read.map(|read| u64::try_from(read.as_millis())) {
        Some(Ok(0)) => format!("`{key}` must be longer than zero: write `{key} = \"{example}\"`"),
        Some(Ok(milliseconds)) => return Some(milliseconds),
        _ => format!(
            "this is not a duration such as `90s`, `10m`, `1h 30m` or `2 days`: \
             write `{key} = \"{example}\"`"
        ),
    };
    errors.push(text, message);
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::pairs;

    const KEYS: [&str; 7] =
        ["concurrency", "concurrency_key", "exclusive", "priority", "timeout", "retries", "backoff"];

    /// The code for these keys, or how many mistakes are in them.
    fn code(keys: &str) -> Result<String, usize> {
        let mut errors = Errors::of_no_process();
        let mut args = PolicyArgs::default();
        for pair in pairs(keys.parse().unwrap(), &KEYS, &mut errors) {
            args.read(pair, &mut errors);
        }
        args.check(&mut errors);
        match errors.into_tokens().to_string().matches("compile_error").count() {
            0 => Ok(args.code(&quote!(r)).to_string().replace("r :: __private :: ", "").replace(' ', "")),
            mistakes => Err(mistakes),
        }
    }

    #[test]
    fn only_set_options_differ_from_default() {
        let good = [
            ("", "Policy::DEFAULT"),
            ("exclusive = false", "Policy::DEFAULT"),
            ("concurrency = 3", "Policy{concurrency:3,..Policy::DEFAULT}"),
            ("concurrency = 1000,", "Policy{concurrency:1000,..Policy::DEFAULT}"),
            ("exclusive", "Policy{exclusive:true,..Policy::DEFAULT}"),
            ("exclusive = true, concurrency = 1", "Policy{concurrency:1,exclusive:true,..Policy::DEFAULT}"),
            ("exclusive, priority = -1000", "Policy{exclusive:true,priority:-1000,..Policy::DEFAULT}"),
            (
                "concurrency_key = r#type",
                "Policy{concurrency_key:::core::option::Option::Some(\"type\"),..Policy::DEFAULT}",
            ),
            (
                "timeout = \"1h 30m\"",
                "Policy{timeout:::core::option::Option::Some(::core::time::Duration::from_millis(5400000)),\
                 ..Policy::DEFAULT}",
            ),
            (
                "backoff = \"1s 5ms\", retries = 0",
                "Policy{retries:0,backoff:::core::time::Duration::from_millis(1005),..Policy::DEFAULT}",
            ),
        ];
        for (keys, expected) in good {
            assert_eq!(code(keys).as_deref(), Ok(expected), "{keys}");
        }
    }

    #[test]
    fn durations_parse_human_units() {
        for (text, milliseconds) in
            [("90s", 90_000), ("10m", 600_000), ("1h 30m", 5_400_000), ("2 days", 172_800_000), ("5ms", 5)]
        {
            let code = code(&format!("timeout = \"{text}\"")).unwrap();
            assert!(code.contains(&format!("from_millis({milliseconds})")), "{text}: {code}");
        }
    }

    #[test]
    fn one_mistake_is_one_error() {
        let bad = [
            "concurrency = 0",
            "concurrency = 1001",
            "concurrency = -1",
            "concurrency = 3u32",
            "concurrency = 2.0",
            "concurrency = \"3\"",
            "concurrency = LIMIT",
            "concurrency",
            "concurrency = ",
            "concurrency = 99999999999999999999",
            "concurrency_key = \"region\"",
            "concurrency_key = a::b",
            "concurrency_key",
            "exclusive = 1",
            "exclusive = \"yes\"",
            "exclusive = ",
            "exclusive concurrency = 2",
            "exclusive, exclusive",
            "exclusive, concurrency = 2",
            "exclusive, concurrency_key = region",
            "concurrency = 2, exclusive, concurrency_key = region",
            "priority = 1001",
            "priority = -1001",
            "priority = --1",
            "timeout = 10",
            "timeout = 10m",
            "timeout = \"\"",
            "timeout = \"10\"",
            "timeout = \"ten minutes\"",
            "timeout = \"-1s\"",
            "timeout = \"0s\"",
            "timeout = \"1us\"",
            "timeout = \"600000000000y\"",
            "timeout",
            "retries = -1",
            "retries = 101",
            "backoff = \"10s\"",
            "backoff = \"0s\", retries = 3",
            // The number is the mistake; that there are retries is plain to see.
            "backoff = \"10s\", retries = 101",
        ];
        for keys in bad {
            assert_eq!(code(keys), Err(1), "{keys}");
        }
    }
}
