//! The rules for the signature of a process: the function and its parameters.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::{FnArg, GenericParam, Ident, Pat, PatIdent, PatType, PathArguments, ReturnType, Safety, Type};

use crate::errors::Errors;
use crate::helpers::is_helper;
use crate::item::Function;

/// A parameter with a plain name and a type that can be owned.
pub(crate) struct Named<'a> {
    pub(crate) name: &'a Ident,
    pub(crate) ty: &'a Type,
    /// Its index among the function's inputs.
    pub(crate) index: usize,
}

/// Reports everything that keeps the function from being a process.
pub(crate) fn check<'a>(function: &'a Function, errors: &mut Errors) -> Vec<Named<'a>> {
    if let Some(again) = &function.again {
        errors.push(again, "`#[process]` is applied twice: remove one of them");
    }
    check_qualifiers(function, errors);
    check_generics(function, errors);
    if let Some(token) = word_impl(&function.signature.output) {
        errors.push(token, "name the return type: `Result<T, E>`, or nothing, instead of `impl Trait`");
    }
    if let ReturnType::Type(_, ty) = &function.signature.output
        && matches!(bare(ty), Type::Never(_))
    {
        errors.push(ty, "a process ends: return `Result<T, E>`, or nothing, instead of `!`");
    }
    let mut parameters = Vec::new();
    for (index, input) in function.signature.inputs.iter().enumerate() {
        match input {
            FnArg::Receiver(receiver) => errors.push(
                receiver,
                "a process must be a free function: move it out of the `impl`, \
                 and inject what it needs from `self` as `State<T>`",
            ),
            FnArg::Typed(input) => {
                if let Some(name) = check_parameter(input, errors) {
                    parameters.push(Named { name, ty: &input.ty, index });
                }
            }
        }
    }
    check_states(&parameters, errors);
    check_cursors(&parameters, errors);
    parameters
}

fn check_qualifiers(function: &Function, errors: &mut Errors) {
    let signature = &function.signature;
    let name = function.name();
    if let Some(token) = &signature.constness {
        errors.push(token, format!("a process cannot be `const`: write `async fn {name}`"));
    } else if signature.asyncness.is_none() {
        errors.push(signature.fn_token, format!("a process must be async: write `async fn {name}`"));
    }
    if let Safety::Unsafe(token) = &signature.safety {
        errors.push(
            token,
            "a process cannot be an `unsafe fn`, because the runtime calls it: remove `unsafe`, \
             and use an `unsafe { … }` block inside",
        );
    }
    if let Some(abi) = &signature.abi {
        errors.push(abi, "a process cannot be `extern`: remove `extern`");
    }
    if let Some(variadic) = &signature.variadic {
        errors.push(variadic, "a process cannot be variadic: name every parameter instead of `...`");
    }
}

/// One error for all of them: a process with `<T>` and `where T: …` has made one mistake.
fn check_generics(function: &Function, errors: &mut Errors) {
    let generics = &function.signature.generics;
    let lifetimes_only = generics.params.iter().all(|param| matches!(param, GenericParam::Lifetime(_)));
    let references = function.signature.inputs.iter().any(is_reference);
    if let (Some(_), Some(_)) = (&generics.lt_token, generics.params.first()) {
        if !lifetimes_only {
            let message = "a process cannot be generic: name the types";
            errors.push(&generics.params, message);
        } else if !references {
            // If there is a reference, too, the error is about the reference.
            let message = "a process cannot be generic: its parameters are owned and need no lifetime";
            errors.push(&generics.params, message);
        }
    } else if let Some(clause) = &generics.where_clause {
        let message = "a process cannot be generic: remove the `where` clause";
        errors.push(clause, message);
    }
}

fn is_reference(input: &FnArg) -> bool {
    matches!(input, FnArg::Typed(input) if matches!(bare(&input.ty), Type::Reference(_)))
}

/// The parameter's name when nothing is wrong with the parameter.
fn check_parameter<'a>(input: &'a PatType, errors: &mut Errors) -> Option<&'a Ident> {
    let name = match &*input.pat {
        Pat::Ident(PatIdent { by_ref: None, subpat: None, ident, .. }) => Some(ident),
        Pat::Wild(underscore) => {
            errors.push(underscore, "give this parameter a name: it is the label of the form field");
            None
        }
        pattern => {
            errors.push(
                pattern,
                "give this parameter a name, which is the label of the form field, \
                 and destructure it in the body",
            );
            None
        }
    };
    if let Some(name) = name.filter(|name| is_helper(name)) {
        errors.push(name, format!("rename this parameter: it hides the helper `{name}`"));
    }
    for attribute in &input.attrs {
        if attribute.path().is_ident("cfg") || attribute.path().is_ident("cfg_attr") {
            let message = "a parameter of a process cannot be conditional: \
                           put the `#[cfg]` on the whole function";
            errors.push(attribute, message);
        }
    }
    match bare(&input.ty) {
        Type::Reference(reference) => {
            let owned = owned(&reference.elem);
            errors.push(
                &input.ty,
                format!("a form field must own its value: write `{owned}` instead of a reference"),
            );
            return None;
        }
        ty => {
            if let Some(message) = not_injected(ty) {
                errors.push(&input.ty, message);
                return None;
            }
            if let Some(token) = word_impl(ty) {
                errors.push(token, "name the type of this parameter: it determines the form field");
                return None;
            }
        }
    }
    name
}

/// A type without parentheses and without the invisible group around a `macro_rules!` parameter.
fn bare(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => bare(&group.elem),
        Type::Paren(paren) => bare(&paren.elem),
        other => other,
    }
}

/// The owned type for a reference: `&str` → `String`, `&[u8]` → `Vec<u8>`, `&Catalog` → `Catalog`.
fn owned(element: &Type) -> String {
    match element {
        // A path is no field, but its text is.
        Type::Path(path) if path.path.is_ident("str") || is_called(element, "Path") => "String".to_owned(),
        Type::Slice(slice) => format!("Vec<{}>", pretty(&slice.elem)),
        other => pretty(other),
    }
}

/// Each type of state is there once, so a second parameter of the same type is a slip.
fn check_states(parameters: &[Named<'_>], errors: &mut Errors) {
    let mut seen: Vec<String> = Vec::new();
    for parameter in parameters {
        let Some(state) = state_type(parameter.ty) else { continue };
        if seen.contains(&state) {
            let message = format!("`State<{state}>` is injected twice: remove one of them");
            errors.push(parameter.ty, message);
        } else {
            seen.push(state);
        }
    }
}

/// A run resumes from a single cursor.
fn check_cursors(parameters: &[Named<'_>], errors: &mut Errors) {
    let cursors = parameters.iter().filter(|parameter| is_called(parameter.ty, "Cursor"));
    for second in cursors.skip(1) {
        let message = "a process has one cursor: \
                       combine both positions in one type, such as a struct or a tuple";
        errors.push(second.ty, message);
    }
}

/// True for the types that the runtime injects: `State<T>`, `Progress` and `Cursor<T>`.
pub(crate) fn is_injected(ty: &Type) -> bool {
    is_called(ty, "Progress") || is_called(ty, "Cursor") || is_of_a_type(ty)
}

/// True for a type whose path ends with this name.
fn is_called(ty: &Type, name: &str) -> bool {
    match bare(ty) {
        Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == name),
        _ => false,
    }
}

/// True for `State<…>` or `Cursor<…>`, which contain a type of the author.
pub(crate) fn is_of_a_type(ty: &Type) -> bool {
    state_type(ty).is_some() || inside(ty, "Cursor").is_some()
}

/// `Db` of `State<Db>` and `process_runtime::State<Db>`.
fn state_type(ty: &Type) -> Option<String> {
    inside(ty, "State")
}

/// Extractors of axum for what a request carries.
const EXTRACTORS: [&str; 4] = ["Form", "Json", "Path", "Query"];

/// What to write instead of a type that handlers of axum take and processes do not: a state is stored as an `Arc`, but not
/// taken as one, and a run reads its form, but no request.
fn not_injected(ty: &Type) -> Option<String> {
    if let Some(shared) =
        inside(ty, "Arc").filter(|shared| shared != "str").or_else(|| inside(ty, "Extension"))
    {
        return Some(format!("a shared value is injected as `State<{shared}>`: write that instead"));
    }
    let (extractor, inner) = EXTRACTORS.iter().find_map(|name| Some((name, inside(ty, name)?)))?;
    Some(format!(
        "a process takes no extractor such as `{extractor}<…>`, because its form is made from its parameters: \
         take `{inner}` itself; a struct or an enum of your own needs `#[derive(Field)]`"
    ))
}

/// The generic argument of the type with the name `outer`.
fn inside(ty: &Type, outer: &str) -> Option<String> {
    let Type::Path(path) = bare(ty) else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == outer)?;
    match &last.arguments {
        PathArguments::AngleBracketed(arguments) => Some(pretty(&arguments.args)),
        _ => None,
    }
}

/// The first `impl` in a type.
fn word_impl(ty: &impl ToTokens) -> Option<TokenTree> {
    fn find(tokens: TokenStream) -> Option<TokenTree> {
        tokens.into_iter().find_map(|tree| match tree {
            TokenTree::Group(group) => find(group.stream()),
            TokenTree::Ident(word) if word == "impl" => Some(TokenTree::Ident(word)),
            _ => None,
        })
    }
    find(ty.to_token_stream())
}

/// Tokens as a person would write them: without the spaces that printing puts around punctuation.
pub(crate) fn pretty(tokens: &impl ToTokens) -> String {
    let printed = tokens.to_token_stream().to_string();
    let words: Vec<&str> = printed.split(' ').collect();
    let mut text = String::new();
    for word in words {
        let glued = text.chars().last().is_none_or(|last| !last.is_alphanumeric() && last != ',')
            || !word.starts_with(char::is_alphanumeric);
        if !glued {
            text.push(' ');
        }
        text.push_str(word);
    }
    text
}
