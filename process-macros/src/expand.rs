//! The code of a good process: how its parameters are described and extracted, and how it is called.
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
use crate::model::{Model, Parameter};
use crate::places::{ends, tuple};
use crate::signature;

/// The function, then its controller.
pub(crate) fn expand(model: &Model, name: &Ident, function: &Function) -> TokenStream {
    let runtime = &model.runtime;
    let helpers = quote!(use #runtime::__private::helpers::*;);
    let emitted = inject::function(function, &function.signature, &helpers);
    let parts = Parts {
        support: support(model),
        parameters: parameters(model, function),
        entry: entry(model, function),
        typed: typed(model, function),
        validate: validate(model, function),
        registered: true,
    };
    let controller = controller(model, name, function, &parts);
    quote!(#emitted #controller)
}

/// What turns the function into the types of its parameters.
fn support(model: &Model) -> TokenStream {
    if model.parameters.is_empty() {
        return TokenStream::new();
    }
    let types: Vec<Ident> = (0..model.parameters.len()).map(|index| format_ident!("T{index}")).collect();
    quote! {
        fn __process_runtime_types<#(#types,)* R>(
            _: impl ::core::ops::FnOnce(#(#types),*) -> R,
        ) -> (#((::core::marker::PhantomData<#types>,),)*) {
            (#((::core::marker::PhantomData::<#types>,),)*)
        }
    }
}

fn parameters(model: &Model, function: &Function) -> TokenStream {
    if model.parameters.is_empty() {
        return quote!(|| ::std::vec::Vec::new());
    }
    let function = function.name();
    let (markers, elements) = markers(model);
    let described = model.parameters.iter().zip(&elements).map(|(parameter, marker)| {
        let (place, end) = ends(&parameter.ty);
        let (name, options) = (&parameter.name, options(model, parameter));
        let runtime = model.runtime_at(place);
        let (kind, describe) = (kind(parameter, place), Ident::new("describe", end));
        quote_spanned!(place=> #runtime::__private::#kind::#describe(#marker, #name, #options))
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
    let (markers, elements) = markers(model);
    let extracted = model.parameters.iter().zip(&elements).map(|(parameter, marker)| {
        let (place, end) = ends(&parameter.ty);
        let (name, options) = (&parameter.name, options(model, parameter));
        let runtime = model.runtime_at(place);
        let (kind, collect) = (kind(parameter, place), Ident::new("collect", end));
        quote_spanned! {place=>
            #runtime::__private::#kind::#collect(#marker, #name, #options, &#invocation, &mut #errors)
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
    let (start, end) = ends(&place);
    let (runtime, into_outcome) = (model.runtime_at(start), Ident::new("into_outcome", end));
    let into_outcome = quote_spanned!(start=> #runtime::__private::IntoOutcome::#into_outcome(#outcome));
    let (runtime, causes) = (&model.runtime, local("causes"));
    quote_spanned! {name.span()=>
        ::std::boxed::Box::pin(async move {
            let #returned = (#name(#(#values),*).await,);
            // Each reference makes one more of the traits a candidate.
            let #causes = {
                use #runtime::__private::causes::*;
                (&&&&#runtime::__private::causes::Returned(&#returned.0)).causes()
            };
            #into_outcome.caused_by(#causes)
        })
    }
}

/// Writes the typed input as values. It is beside the rest of the declaration, so that rustc reports a parameter that
/// is not a field only once.
fn typed(model: &Model, function: &Function) -> TokenStream {
    let Some(input) = input::name(model, function) else {
        return quote!(|_| ::core::default::Default::default());
    };
    let runtime = &model.runtime;
    let [any, given, values] = ["any", "given", "values"].map(local);
    let members = model.given().enumerate().map(|(index, parameter)| {
        let (ident, name) = (&parameter.ident, &parameter.name);
        let (member, element) = tuple(&format!("given_{index}"), &parameter.ty);
        let (place, end) = ends(&parameter.ty);
        let (runtime, give) = (model.runtime_at(place), Ident::new("give", end));
        let give =
            quote_spanned!(place=> #runtime::__private::Parameter::#give(#element, #name, &mut #values););
        quote!(let #member = (#given.#ident,); #give)
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

/// Reads all inputs and calls the author's validation function.
fn validate(model: &Model, function: &Function) -> TokenStream {
    let Some(validate) = &model.validate else { return quote!(::core::option::Option::None) };
    let runtime = &model.runtime;
    // At the path, where rustc reports errors of the function.
    let place = ends(validate).0;
    let (at, input_value) = (model.runtime_at(place), local("input"));
    let check = quote_spanned!(place=> #at::__private::validate(&#input_value, #validate));
    let Some(input) = input::name(model, function) else {
        return quote!(::core::option::Option::Some(|_| { let #input_value = (); #check }));
    };
    let [values, errors] = ["values", "errors"].map(local);
    let (markers, elements) = markers(model);
    let all = model.parameters.iter().zip(&elements).filter(|(parameter, _)| !parameter.injected);
    let (mut members, mut kept, mut taken) = (vec![], vec![], vec![]);
    for (index, (parameter, marker)) in all.enumerate() {
        let (place, end) = ends(&parameter.ty);
        let (name, options) = (&parameter.name, options(model, parameter));
        let (runtime, take) = (model.runtime_at(place), Ident::new("take", end));
        taken.push(quote_spanned! {place=>
            #runtime::__private::Part::#take(#marker, #name, #options, #values, &mut #errors)
        });
        members.push(&parameter.ident);
        kept.push(local(&format!("value_{index}")));
    }
    let function = function.name();
    quote! {
        ::core::option::Option::Some(|#values| {
            let (#(#markers,)*) = __process_runtime_types(#function);
            let mut #errors: #runtime::__private::FieldErrors = ::core::default::Default::default();
            match (#(#taken,)*) {
                (#(::core::option::Option::Some(#kept),)*) => {
                    let #input_value = #input { #(#members: #kept),* };
                    #check
                }
                _ => ::core::result::Result::Err(#errors),
            }
        })
    }
}

/// The trait of the runtime's that a parameter must implement.
fn kind(parameter: &Parameter, place: Span) -> Ident {
    Ident::new(if signature::is_of_a_type(&parameter.ty) { "Injected" } else { "Parameter" }, place)
}

/// What sets the options of a parameter.
fn options(model: &Model, parameter: &Parameter) -> TokenStream {
    parameter.field.closure(&parameter.ty, &|place| model.runtime_at(place))
}

/// For each parameter a local that holds a marker of its type, and the code that reads the marker, with the span of the
/// type.
fn markers(model: &Model) -> (Vec<Ident>, Vec<TokenStream>) {
    let types = model.parameters.iter().enumerate();
    types.map(|(index, parameter)| tuple(&format!("marker_{index}"), &parameter.ty)).unzip()
}

/// A local of the expansion, which no token of the author's sees and no item of the author's hides.
fn local(name: &str) -> Ident {
    format_ident!("__{name}", span = Span::mixed_site())
}
