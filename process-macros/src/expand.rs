//! Owns the code of a good process: how its parameters are described and extracted, and how it is called.
//! Refuses to know anything that could be wrong with it, except what only rustc can tell.
//!
//! No type of the author's is written a second time: a name that does not resolve would be reported a
//! second time. The parameters' types are inferred from the function, and every place where rustc may
//! find a type unfit is located at that type in the signature.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ReturnType;

use crate::controller::{Parts, controller};
use crate::inject;
use crate::input;
use crate::item::Function;
use crate::model::Model;
use crate::places::{ends, local_at, tuple};

/// The function, then its controller.
pub(crate) fn expand(model: &Model, name: &Ident, function: &Function) -> TokenStream {
    let runtime = &model.runtime;
    let helpers = quote!(use #runtime::__private::helpers::*;);
    let emitted = inject::function(function, &function.signature, &helpers);
    let parts = Parts {
        support: support(model),
        parameters: parameters(model, function),
        entry: entry(model, function),
        typed: typed(model),
        validate: validate(model, function),
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
        ) -> (#(::core::marker::PhantomData<#types>,)*) {
            (#(::core::marker::PhantomData::<#types>,)*)
        }

        fn __process_runtime_describe<T: #runtime::__private::Parameter>(
            _: ::core::marker::PhantomData<T>,
            #name: &'static str,
            #set: fn(T::Options) -> T::Options,
        ) -> #runtime::__private::ParameterInfo {
            T::describe(#name, #set)
        }

        fn __process_runtime_extract<T: #runtime::__private::Parameter>(
            _: ::core::marker::PhantomData<T>,
            #name: &'static str,
            #set: fn(T::Options) -> T::Options,
            #invocation: &#runtime::__private::Invocation,
            #errors: &mut #runtime::__private::FieldErrors,
        ) -> ::core::option::Option<T> {
            match T::extract(#name, #set, #invocation) {
                ::core::result::Result::Ok(#value) => ::core::option::Option::Some(#value),
                ::core::result::Result::Err(#error) => {
                    #errors.extend(#error);
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
    let markers = markers(model);
    let described = model.parameters.iter().zip(&markers).map(|(parameter, marker)| {
        let (place, _) = ends(&parameter.ty);
        let (name, options) = (&parameter.name, parameter.field.closure(&parameter.ty));
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
    let (runtime, function) = (&model.runtime, function.name());
    let [invocation, errors] = ["invocation", "errors"].map(local);
    let markers = markers(model);
    let extracted = model.parameters.iter().zip(&markers).map(|(parameter, marker)| {
        let (place, _) = ends(&parameter.ty);
        let (name, options) = (&parameter.name, parameter.field.closure(&parameter.ty));
        quote_spanned! {place=>
            __process_runtime_extract(#marker, #name, #options, &#invocation, &mut #errors)
        }
    });
    quote! {
        |#invocation| {
            let (#(#markers,)*) = __process_runtime_types(#function);
            let mut #errors: #runtime::__private::FieldErrors = ::core::default::Default::default();
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

/// What writes the typed input as values. It stands beside the rest of the declaration, so that rustc says
/// of a parameter that is no field only once that it is none.
fn typed(model: &Model) -> TokenStream {
    let Some(input) = input::name(model) else {
        return quote!(|_| ::core::default::Default::default());
    };
    let runtime = &model.runtime;
    let [any, given, values] = ["any", "given", "values"].map(local);
    let members = model.given().enumerate().map(|(index, parameter)| {
        let (ident, name) = (&parameter.ident, &parameter.name);
        let member = local_at(&format!("given_{index}"), &parameter.ty);
        let (place, _) = ends(&parameter.ty);
        let runtime = model.runtime_at(place);
        let give =
            quote_spanned!(place=> #runtime::__private::Parameter::give(#member, #name, &mut #values););
        quote!(let #member = #given.#ident; #give)
    });
    quote! {
        |#any| {
            let mut #values = #runtime::__private::Map::new();
            if let ::core::result::Result::Ok(#given) = #any.downcast::<#input>() {
                #(#members)*
            }
            #values
        }
    }
}

/// Reads all inputs and has the author's function look at them together.
fn validate(model: &Model, function: &Function) -> TokenStream {
    let Some(validate) = &model.validate else { return quote!(::core::option::Option::None) };
    let runtime = &model.runtime;
    let Some(input) = input::name(model) else {
        return quote!(::core::option::Option::Some(|_| #runtime::__private::validate(#validate, &())));
    };
    let [values, errors] = ["values", "errors"].map(local);
    let markers = markers(model);
    let all = model.parameters.iter().zip(&markers).filter(|(parameter, _)| !parameter.injected);
    let (mut members, mut kept, mut taken) = (vec![], vec![], vec![]);
    for (index, (parameter, marker)) in all.enumerate() {
        let (place, _) = ends(&parameter.ty);
        let (name, options) = (&parameter.name, parameter.field.closure(&parameter.ty));
        let runtime = model.runtime_at(place);
        taken.push(quote_spanned! {place=>
            #runtime::__private::take(#marker, #name, #options, #values, &mut #errors)
        });
        members.push(&parameter.ident);
        kept.push(local(&format!("value_{index}")));
    }
    let function = function.name();
    let call = quote!(#runtime::__private::validate(#validate, &#input { #(#members: #kept),* }));
    quote! {
        ::core::option::Option::Some(|#values| {
            let (#(#markers,)*) = __process_runtime_types(#function);
            let mut #errors: #runtime::__private::FieldErrors = ::core::default::Default::default();
            match (#(#taken,)*) {
                (#(::core::option::Option::Some(#kept),)*) => #call,
                _ => ::core::result::Result::Err(#errors),
            }
        })
    }
}

/// For each parameter a local that holds a marker of its type.
fn markers(model: &Model) -> Vec<Ident> {
    let types = model.parameters.iter().enumerate();
    types.map(|(index, parameter)| local_at(&format!("marker_{index}"), &parameter.ty)).collect()
}

/// A local of the expansion, which no token of the author's sees and no item of the author's hides.
fn local(name: &str) -> Ident {
    format_ident!("__{name}", span = Span::mixed_site())
}
