//! The code emitted beside errors, so that one mistake causes one error: the function with its helpers, and its
//! controller, but no registration.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{FnArg, Pat, Token};

use crate::controller::{Parts, controller};
use crate::helpers::NAMES;
use crate::inject;
use crate::item::Function;
use crate::model::Model;

/// The function and its controller, as good as they can be.
pub(crate) fn fallback(model: &Model, function: &Function) -> TokenStream {
    let emitted = repaired(model, function);
    let controller = model.name.as_ref().map(|name| {
        let parts = Parts {
            support: TokenStream::new(),
            parameters: quote!(|| ::std::vec::Vec::new()),
            entry: quote!(|_| ::core::result::Result::Err(::core::default::Default::default())),
            typed: quote!(|_| ::core::default::Default::default()),
            validate: quote!(::core::option::Option::None),
            registered: false,
        };
        controller(model, name, function, &parts)
    });
    quote!(#emitted #controller)
}

/// The function with the qualifiers a process must and must not have: its body awaits, whether the
/// author remembered `async` or not.
fn repaired(model: &Model, function: &Function) -> TokenStream {
    let runtime = &model.runtime;
    let mut signature = function.signature.clone();
    signature.asyncness.get_or_insert_with(|| Token![async](signature.fn_token.span));
    signature.constness = None;
    signature.abi = None;
    signature.variadic = None;
    let hidden = |helper: &str| {
        signature.inputs.iter().any(|input| match input {
            FnArg::Typed(input) => matches!(&*input.pat, Pat::Ident(name) if name.ident == helper),
            FnArg::Receiver(_) => false,
        })
    };
    // A parameter named like a helper was reported; in the body it shall be the parameter.
    let names = NAMES.iter().filter(|helper| !hidden(helper));
    let names = names.map(|helper| quote::format_ident!("{helper}"));
    let helpers = quote!(use #runtime::__private::helpers::{#(#names),*};);
    inject::function(function, &signature, &helpers)
}
