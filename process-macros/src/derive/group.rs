//! The code of a struct as a field: a group with a field for each member.
//!
//! No type of a member is written twice, and one function contains every requirement on fields, so that rustc reports a
//! member that is not a field only once.

use proc_macro2::{Ident, TokenStream};
use quote::{quote, quote_spanned};
use syn::FieldsNamed;

use super::{Input, local};
use crate::errors::Errors;
use crate::options::FieldArgs;
use crate::places::{ends, path_at, tuple};

/// The implementation for a struct.
pub(super) fn group(input: &Input<'_>, fields: &FieldsNamed, errors: &mut Errors) -> TokenStream {
    let Input { name, runtime, .. } = input;
    let private = quote!(#runtime::__private);
    let [value, values, wrong, this] = ["value", "values", "wrong", "this"].map(local);
    let (mut markers, mut infos, mut taken, mut locals, mut members) =
        (vec![], vec![], vec![], vec![], vec![]);
    for (index, field) in fields.named.iter().enumerate() {
        let Some(member) = &field.ident else { continue };
        let label = member.to_string();
        let label = label.trim_start_matches("r#");
        let mut args = FieldArgs::read(&field.attrs, errors);
        args.document(&field.attrs);
        let (place, end) = ends(&field.ty);
        let (marker, element) = tuple(&format!("marker_{index}"), &field.ty);
        let [part, take] = ["member", "take"].map(|name| Ident::new(name, end));
        let kept = local(&format!("member_{index}"));
        let at = path_at(&private, input.runtime_given, place);
        let set = args.closure(&field.ty, &|place| path_at(runtime, input.runtime_given, place));
        infos.push(quote_spanned! {place=>
            #at::Part::#part(#element, #label, #set, |#this: &#name| &#this.#member)
        });
        taken.push(quote_spanned!(place=> #at::Part::#take(#element, #label, #set, #values, #wrong)));
        markers.push(quote!(let #marker = (#private::marker(|#this: &#name| &#this.#member),);));
        locals.push(kept);
        members.push(member);
    }
    // The author's path may be longer than necessary here.
    let long_path = input.runtime_given.then(|| quote!(#[allow(unused_qualifications)]));
    quote! {
        #long_path
        const _: () = {
            fn __process_runtime_group() -> #private::Group<#name> {
                #(#markers)*
                #private::Group::new(
                    ::std::vec![#(#infos),*],
                    |#values, #wrong| {
                        #(#markers)*
                        // All of them, so that every error is reported.
                        let (#(#locals,)*) = (#(#taken,)*);
                        ::core::option::Option::Some(#name { #(#members: #locals?),* })
                    },
                )
            }

            impl #runtime::Field for #name {
                type Options = #runtime::field::PlainOptions<Self>;

                fn shape(_: &Self::Options) -> #runtime::field::Shape {
                    __process_runtime_group().shape()
                }

                fn parse(
                    #value: &#private::Value,
                    _: &Self::Options,
                ) -> ::core::result::Result<Self, #runtime::field::FieldErrors> {
                    __process_runtime_group().parse(#value)
                }

                fn render(&self) -> #private::Value {
                    __process_runtime_group().write(self, false)
                }

                fn reveal(&self) -> #private::Value {
                    __process_runtime_group().write(self, true)
                }
            }
        };
    }
}
