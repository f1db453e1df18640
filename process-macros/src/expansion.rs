//! The expansion of the attribute and of the derive: from the input tokens to the generated code.

use proc_macro2::TokenStream;
use quote::quote;

use crate::args::ProcessArgs;
use crate::derive;
use crate::errors::Errors;
use crate::expand;
use crate::fallback;
use crate::item::Function;
use crate::model::Model;

#[cfg(test)]
mod tests;

/// `#[process(args)] item`.
pub(crate) fn process(args: TokenStream, item: TokenStream) -> TokenStream {
    let function = match Function::read(item.clone()) {
        Ok(function) => function,
        Err(errors) => {
            let errors = errors.into_tokens();
            return quote!(#errors #item);
        }
    };
    let mut errors = Errors::about(function.name());
    let args = ProcessArgs::read(args, &mut errors);
    let model = Model::check(args, &function, &mut errors);
    match &model.name {
        Some(name) if errors.is_empty() => expand::expand(&model, name, &function),
        _ => {
            let errors = errors.into_tokens();
            let fallback = fallback::fallback(&model, &function);
            quote!(#errors #fallback)
        }
    }
}

/// `#[derive(Field)] item`.
pub(crate) fn field(item: TokenStream) -> TokenStream {
    match syn::parse2(item) {
        Ok(item) => derive::derive(&item),
        Err(error) => error.into_compile_error(),
    }
}
