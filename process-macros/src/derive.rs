//! `#[derive(Field)]`: the input that it accepts, and what it emits beside errors.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::{Attribute, Data, DeriveInput, Fields};

use crate::errors::Errors;
use crate::keys::{pairs, path};
use crate::options;

mod choice;
mod group;

/// The type, before its members are processed.
struct Input<'a> {
    name: &'a Ident,
    /// The path of process-runtime, and whether the author set it.
    runtime: TokenStream,
    runtime_given: bool,
}

/// The implementation of `Field`, or every mistake.
pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    let mut errors = Errors::about_field(&input.ident);
    if let Some(parameter) = input.generics.params.first() {
        errors.push(parameter, "a form field cannot be generic: name the types");
    }
    let given = runtime(&input.attrs, &mut errors);
    let about = Input {
        name: &input.ident,
        runtime_given: given.is_some(),
        runtime: given.unwrap_or_else(|| quote!(::process_runtime)),
    };
    let code = match &input.data {
        Data::Enum(data) => choice::choice(&about, data, &mut errors),
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) if !fields.named.is_empty() => group::group(&about, fields, &mut errors),
            other => {
                let message = "a group needs named members: write `struct Address { street: String }`";
                let at =
                    if other.is_empty() { input.ident.to_token_stream() } else { other.to_token_stream() };
                errors.push(at, message);
                TokenStream::new()
            }
        },
        Data::Union(data) => {
            errors.push(
                data.union_token,
                "a form field must be an enum (a choice) or a struct (a group), not a union",
            );
            TokenStream::new()
        }
    };
    if errors.is_empty() {
        return code;
    }
    // The error was reported; the type still implements `Field`, so that uses of it cause no further errors.
    let errors = errors.into_tokens();
    let Input { name, runtime, .. } = &about;
    let (before, types, conditions) = input.generics.split_for_impl();
    let value = quote!(#runtime::__private::Value);
    quote! {
        #errors
        impl #before #runtime::Field for #name #types #conditions
        where
            Self: ::core::marker::Send + 'static,
        {
            type Options = #runtime::field::ChoiceOptions<Self>;
            fn shape(_: &Self::Options) -> #runtime::field::Shape {
                #runtime::field::Shape::Checkbox
            }
            fn parse(_: &#value, _: &Self::Options) -> ::core::result::Result<Self, #runtime::field::FieldErrors> {
                ::core::result::Result::Err(::core::convert::From::from("not understood"))
            }
            fn render(&self) -> #value {
                #value::Null
            }
        }
    }
}

/// The path of process-runtime, which `#[field(crate = …)]` on the type may name.
fn runtime(attributes: &[Attribute], errors: &mut Errors) -> Option<TokenStream> {
    let mut runtime = None;
    for pair in pairs(options::tokens(attributes, errors), &["crate"], errors) {
        if let Some(path) = path(pair, "::process_runtime", errors) {
            runtime = Some(path.into_token_stream());
        }
    }
    runtime
}

/// A local of the expansion, which no token of the author's sees.
fn local(name: &str) -> Ident {
    quote::format_ident!("__{name}", span = Span::mixed_site())
}
