//! The code of an enum as a field: one of a few values, each with a label.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DataEnum, Fields, LitStr, Variant};

use super::{Input, local};
use crate::docs;
use crate::errors::Errors;
use crate::keys::{pairs, text};
use crate::naming;
use crate::options;

const KEYS: [&str; 3] = ["label", "help", "value"];

/// One variant: its value, label and hint.
struct Offer {
    value: String,
    label: String,
    help: String,
}

/// The implementation for an enum.
pub(super) fn choice(input: &Input<'_>, data: &DataEnum, errors: &mut Errors) -> TokenStream {
    let Input { name, runtime, .. } = input;
    if data.variants.is_empty() {
        errors.push(name, "the enum has no variants: add one to choose from");
    }
    let mut offers: Vec<Offer> = Vec::new();
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            let message = "a choice is a single value: remove the members of this variant, \
                           and make their content a separate parameter";
            errors.push(&variant.fields, message);
        }
        let offer = offer(variant, errors);
        if offers.iter().any(|other| other.value == offer.value) {
            let message = format!(
                "two variants have the value {:?}: give one of them `#[field(value = \"…\")]`",
                offer.value
            );
            errors.push(&variant.ident, message);
        }
        offers.push(offer);
    }
    let variants: Vec<_> = data.variants.iter().map(|variant| &variant.ident).collect();
    let [value, options] = ["value", "options"].map(local);
    let (values, labels): (Vec<_>, Vec<_>) = offers.iter().map(|offer| (&offer.value, &offer.label)).unzip();
    let helps = offers.iter().map(|offer| match offer.help.as_str() {
        "" => quote!(::core::option::Option::None),
        help => quote!(::core::option::Option::Some(#help)),
    });
    quote! {
        impl #runtime::Field for #name {
            type Options = #runtime::field::ChoiceOptions<Self>;

            fn shape(#options: &Self::Options) -> #runtime::field::Shape {
                #runtime::__private::choices(&[#((#values, #labels, #helps)),*], #options.radio)
            }

            fn parse(
                #value: &#runtime::__private::Value,
                _: &Self::Options,
            ) -> ::core::result::Result<Self, #runtime::field::FieldErrors> {
                match #value.as_str() {
                    #(::core::option::Option::Some(#values) => ::core::result::Result::Ok(Self::#variants),)*
                    _ => ::core::result::Result::Err(
                        #runtime::__private::not_offered(&[#(#values),*], #value),
                    ),
                }
            }

            fn render(&self) -> #runtime::__private::Value {
                ::core::convert::From::from(match self { #(Self::#variants => #values,)* })
            }
        }
    }
}

fn offer(variant: &Variant, errors: &mut Errors) -> Offer {
    let mut given: [Option<LitStr>; 3] = Default::default();
    for pair in pairs(options::tokens(&variant.attrs, errors), &KEYS, errors) {
        if let Some(index) = KEYS.iter().position(|key| pair.key == key) {
            given[index] = text(pair, "\"…\"`", errors);
        }
    }
    let [label, help, value] = given.map(|text| text.map(|text| text.value()));
    let (doc_label, doc_help) = docs::label(&docs::text(variant.attrs.iter()));
    let name = variant.ident.to_string();
    let of_name = || naming::sentence(name.trim_start_matches("r#"));
    Offer {
        value: value.unwrap_or_else(|| naming::value(&name)),
        label: label.or(Some(doc_label).filter(|label| !label.is_empty())).unwrap_or_else(of_name),
        help: help.unwrap_or(doc_help),
    }
}
