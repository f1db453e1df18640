//! Owns the code of a good process: how its parameters are described and extracted, and how it is called.
//! Refuses to know anything that could be wrong with it, except what only rustc can tell.
//!
//! No type of the author's is written a second time: a name that does not resolve would be reported a
//! second time. The parameters' types are inferred from the function, and every place where rustc may
//! find a type unfit is located at that type in the signature.

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Expr, ExprLit, Lit, ReturnType};

use crate::controller::{Parts, controller};
use crate::inject;
use crate::item::Function;
use crate::model::{Model, Parameter};

/// The function, then its controller.
pub(crate) fn expand(model: &Model, name: &Ident, function: &Function) -> TokenStream {
    let runtime = &model.runtime;
    let helpers = quote!(use #runtime::__private::helpers::*;);
    let emitted = inject::function(function, &function.signature, &helpers);
    let parts = Parts {
        support: support(model),
        parameters: parameters(model, function),
        entry: entry(model, function),
        registered: true,
    };
    let controller = controller(model, name, function, &parts);
    quote!(#emitted #controller)
}

/// What turns the function into the types of its parameters, and a parameter's type into its value.
fn support(model: &Model) -> TokenStream {
    if model.parameters.is_empty() {
        return TokenStream::new();
    }
    let runtime = &model.runtime;
    let [name, set, invocation, errors, value, error] =
        ["name", "set", "invocation", "errors", "value", "error"].map(local);
    let types: Vec<Ident> = (0..model.parameters.len()).map(|index| format_ident!("T{index}")).collect();
    quote! {
        fn __process_runtime_types<#(#types,)* R>(
            _: impl ::core::ops::FnOnce(#(#types),*) -> R,
        ) -> (#((::core::marker::PhantomData<#types>,),)*) {
            (#((::core::marker::PhantomData::<#types>,),)*)
        }

        fn __process_runtime_describe<T: #runtime::__private::Parameter>(
            _: ::core::marker::PhantomData<T>,
            #name: &'static str,
            #set: impl ::core::ops::FnOnce(T::Options) -> T::Options,
        ) -> #runtime::__private::ParameterInfo {
            T::describe(#name, #set(::core::default::Default::default()))
        }

        fn __process_runtime_extract<T: #runtime::__private::Parameter>(
            _: ::core::marker::PhantomData<T>,
            #name: &'static str,
            #set: impl ::core::ops::FnOnce(T::Options) -> T::Options,
            #invocation: &#runtime::__private::Invocation,
            #errors: &mut ::std::vec::Vec<#runtime::__private::InputError>,
        ) -> ::core::option::Option<T> {
            match T::extract(#name, #set(::core::default::Default::default()), #invocation) {
                ::core::result::Result::Ok(#value) => ::core::option::Option::Some(#value),
                ::core::result::Result::Err(#error) => {
                    #errors.push(#error);
                    ::core::option::Option::None
                }
            }
        }
    }
}

fn parameters(model: &Model, function: &Function) -> TokenStream {
    if model.parameters.is_empty() {
        return quote!(|| ::std::vec::Vec::new());
    }
    let function = function.name();
    let (markers, elements) = markers(model);
    let described = model.parameters.iter().zip(elements).map(|(parameter, marker)| {
        let (name, options) = (&parameter.name, options(parameter));
        let (place, _) = ends(&parameter.ty);
        quote_spanned!(place=> __process_runtime_describe(#marker, #name, #options))
    });
    quote! {
        || {
            let (#(#markers,)*) = __process_runtime_types(#function);
            ::std::vec![#(#described),*]
        }
    }
}

/// Extracts every parameter, so that all bad inputs are reported at once, then calls the function.
fn entry(model: &Model, function: &Function) -> TokenStream {
    let values: Vec<Ident> =
        (0..model.parameters.len()).map(|index| local(&format!("value_{index}"))).collect();
    let call = call(model, function, &values);
    if values.is_empty() {
        return quote!(|_| ::core::result::Result::Ok(#call));
    }
    let function = function.name();
    let [invocation, errors] = ["invocation", "errors"].map(local);
    let (markers, elements) = markers(model);
    let extracted = model.parameters.iter().zip(elements).map(|(parameter, marker)| {
        let (name, options) = (&parameter.name, options(parameter));
        let (place, _) = ends(&parameter.ty);
        quote_spanned! {place=>
            __process_runtime_extract(#marker, #name, #options, &#invocation, &mut #errors)
        }
    });
    quote! {
        |#invocation| {
            let (#(#markers,)*) = __process_runtime_types(#function);
            let mut #errors = ::std::vec::Vec::new();
            match (#(#extracted,)*) {
                (#(::core::option::Option::Some(#values),)*) => ::core::result::Result::Ok(#call),
                _ => ::core::result::Result::Err(#errors),
            }
        }
    }
}

/// The boxed future of one call. That it is `Send` is checked here, at the function's name; that the
/// function returns something a process can return, at the return type.
fn call(model: &Model, function: &Function, values: &[Ident]) -> TokenStream {
    let name = function.name();
    let place = match &function.signature.output {
        ReturnType::Default => name.to_token_stream(),
        ReturnType::Type(_, ty) => ty.to_token_stream(),
    };
    let (returned, outcome) = tuple("returned", &place);
    let (start, _) = ends(&place);
    let runtime = model.runtime_at(start);
    let into_outcome = quote_spanned!(start=> #runtime::__private::IntoOutcome::into_outcome(#outcome));
    quote_spanned! {name.span()=>
        ::std::boxed::Box::pin(async move {
            let #returned = (#name(#(#values),*).await,);
            #into_outcome
        })
    }
}

/// A closure that sets what `#[field(…)]` says, so that rustc checks each value where it is written.
fn options(parameter: &Parameter) -> TokenStream {
    let field = &parameter.field;
    let label = field.label.as_ref().map(|(key, text)| (key, text.to_token_stream()));
    let help = field.help.as_ref().map(|(key, text)| (key, text.to_token_stream()));
    let default = field.default.as_ref().map(|(key, value)| (key, default(value)));
    let options = local("options");
    let set: Vec<_> = [label, help, default].into_iter().flatten().collect();
    if set.is_empty() {
        return quote!(|#options| #options);
    }
    let set = set.into_iter().map(
        |(key, value)| quote_spanned!(key.span()=> #options.#key = ::core::option::Option::Some(#value);),
    );
    quote!(|mut #options| { #(#set)* #options })
}

/// A text in quotes becomes whatever text type the parameter has.
fn default(value: &Expr) -> TokenStream {
    match value {
        Expr::Lit(ExprLit { lit: Lit::Str(text), .. }) => {
            quote_spanned!(text.span()=> ::core::convert::Into::into(#text))
        }
        other => other.to_token_stream(),
    }
}

/// For each parameter a local that holds a marker of its type, and the code that takes the marker out.
fn markers(model: &Model) -> (Vec<Ident>, Vec<TokenStream>) {
    let types = model.parameters.iter().enumerate();
    types.map(|(index, parameter)| tuple(&format!("marker_{index}"), &parameter.ty)).unzip()
}

/// A local for a tuple of one, and the code that takes its element: located at all of `at`, because a
/// place of more than one token can only be given to code of more than one token.
///
/// rustc joins the places of tokens only when they look as if the author had written them, so the local's
/// name is one that authors do not write.
fn tuple(name: &str, at: &impl ToTokens) -> (Ident, TokenStream) {
    let (first, last) = ends(at);
    let local = format_ident!("__process_runtime_{name}", span = first);
    let mut index = Literal::usize_unsuffixed(0);
    index.set_span(last);
    let element = quote_spanned!(first=> #local.#index);
    (local, element)
}

/// The first and the last token's place.
fn ends(tokens: &impl ToTokens) -> (Span, Span) {
    let mut tokens = tokens.to_token_stream().into_iter();
    let first = tokens.next().map_or_else(Span::call_site, |tree| tree.span());
    let last = tokens.last().map_or(first, |tree| tree.span());
    (first, last)
}

/// A local of the expansion, which no token of the author's sees and no item of the author's hides.
fn local(name: &str) -> Ident {
    format_ident!("__{name}", span = Span::mixed_site())
}
