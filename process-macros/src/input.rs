//! The struct of a process's inputs, for starts from code: one member a field.
//!
//! The struct stands in a block that nobody else sees, where the author's types can be named. The way to it
//! is a type alias that a glob brings into the function's module. So a type of the author's that is called
//! like the struct is no mistake but wins over it, as items of the author's do everywhere, and two processes
//! whose controllers have one name are told so once, and not once more for their inputs.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};

use crate::item::Function;
use crate::model::Model;
use crate::signature::pretty;

/// The public name of the struct; `None` if the process has no fields. Its span is the function's, so that "go to
/// definition" in an editor leads there.
fn exported(model: &Model) -> Option<Ident> {
    let name = model.name.as_ref().filter(|_| model.given().next().is_some())?;
    Some(format_ident!("{}Input", name, span = Span::call_site().located_at(name.span())))
}

/// The name of the struct inside of the block.
pub(crate) fn name(model: &Model, function: &Function) -> Option<Ident> {
    let mut name = exported(model)?;
    // A type of the author's that is called like it and is a field would be hidden by it.
    if model.given().any(|parameter| mentions(parameter.ty.to_token_stream(), &name)) {
        name = format_ident!("__{name}");
    }
    // Written as if by the author, after the function's name: for a type that does not exist, rustc then reports the
    // same error for the struct as for the function, and reports it once.
    name.set_span(function.name().span());
    Some(name)
}

fn mentions(tokens: TokenStream, name: &Ident) -> bool {
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Group(group) => mentions(group.stream(), name),
        TokenTree::Ident(word) => word == *name,
        _ => false,
    })
}

/// The part in the controller's module: the path to the struct.
pub(crate) fn way(model: &Model, function: &Function, controller: &Ident) -> TokenStream {
    let Some(name) = exported(model) else { return TokenStream::new() };
    let doc = doc(function);
    // rustdoc shows the members of a struct, but not those of a struct behind such an alias.
    let members = model.given().map(|parameter| {
        let text = format!("- `{}`: `{}`", parameter.name, pretty(&parameter.ty));
        quote!(#[doc = #text])
    });
    quote! {
        pub trait __Given {
            type Input;
        }

        pub mod __input {
            #[doc = #doc]
            #[doc = ""]
            #(#members)*
            pub type #name = <super::#controller as super::__Given>::Input;
        }
    }
}

/// What brings it into the function's module, for a controller whose module is `module`.
pub(crate) fn export(model: &Model, function: &Function, module: &Ident) -> TokenStream {
    if exported(model).is_none() {
        return TokenStream::new();
    }
    let conditions = function.conditions();
    let visibility = &function.visibility;
    quote! {
        #(#conditions)*
        #visibility use #module::__input::*;
    }
}

/// The type that `start` takes.
pub(crate) fn ty(model: &Model, module: &Ident) -> TokenStream {
    exported(model).map_or_else(|| quote!(()), |name| quote!(#module::__input::#name))
}

/// The struct, for a block in the scope of the function, whose types it names.
pub(crate) fn definition(
    model: &Model,
    function: &Function,
    module: &Ident,
    controller: &Ident,
) -> TokenStream {
    let Some(name) = name(model, function) else { return TokenStream::new() };
    let doc = doc(function);
    let members = model.given().map(|parameter| {
        let (ident, ty) = (&parameter.ident, &parameter.ty);
        let help = parameter.field.help().map(|help| quote!(#help));
        let help = help.unwrap_or_else(|| {
            let text = format!("The field `{}`.", parameter.name);
            quote!(#text)
        });
        quote!(#[doc = #help] pub #ident: #ty)
    });
    quote! {
        #[doc = #doc]
        pub struct #name {
            #(#members),*
        }

        impl #module::__Given for #module::#controller {
            type Input = #name;
        }
    }
}

fn doc(function: &Function) -> String {
    format!("The inputs of the process `{}`, for a start from code.", function.name())
}
