//! Owns the struct of a process's inputs, for starts from code: one member a field.
//! Refuses to know how its values are checked.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use crate::item::Function;
use crate::model::Model;

/// The name of the struct; none when there is nothing to give.
pub(crate) fn name(model: &Model) -> Option<Ident> {
    let name = model.name.as_ref().filter(|_| model.given().next().is_some())?;
    // The place is the function's, so that the way to it leads there.
    Some(format_ident!("{}Input", name, span = Span::call_site().located_at(name.span())))
}

/// The type that `start` takes.
pub(crate) fn ty(model: &Model) -> TokenStream {
    name(model).map_or_else(|| quote!(()), |name| quote!(#name))
}

/// The struct, in the scope of the function, whose types it names.
pub(crate) fn definition(model: &Model, function: &Function) -> TokenStream {
    let Some(name) = name(model) else { return TokenStream::new() };
    let conditions = function.conditions();
    let visibility = &function.visibility;
    let doc = format!("The inputs of the process `{}`, for a start from code.", function.name());
    let members = model.given().map(|parameter| {
        let (ident, ty) = (&parameter.ident, &parameter.ty);
        let help = parameter.field.help().cloned();
        let help = help.unwrap_or_else(|| {
            let text = format!("The field `{}`.", parameter.name);
            quote!(#text)
        });
        quote!(#[doc = #help] pub #ident: #ty)
    });
    quote! {
        #(#conditions)*
        #[doc = #doc]
        #visibility struct #name {
            #(#members),*
        }
    }
}
