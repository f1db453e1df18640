//! The list of everything that is wrong with one `#[process]`, reported all at once.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};

/// Every mistake found so far, in the order it was found.
pub(crate) struct Errors {
    subject: Option<String>,
    found: Vec<syn::Error>,
}

impl Errors {
    /// A list for the process whose function is called `function`.
    pub(crate) fn about(function: &syn::Ident) -> Self {
        Self { subject: Some(format!("process `{function}`")), found: Vec::new() }
    }

    /// A list for the type that derives `Field`.
    pub(crate) fn about_field(name: &syn::Ident) -> Self {
        Self { subject: Some(format!("field `{name}`")), found: Vec::new() }
    }

    /// A list for something that is no process at all.
    pub(crate) fn of_no_process() -> Self {
        Self { subject: None, found: Vec::new() }
    }

    /// Adds a mistake that the tokens `at` make.
    pub(crate) fn push(&mut self, at: impl ToTokens, message: impl AsRef<str>) {
        let message = self.prefixed(message.as_ref());
        self.found.push(syn::Error::new_spanned(at, message));
    }

    /// Reports a mistake at a span, for example where something is missing.
    pub(crate) fn push_at(&mut self, at: Span, message: impl AsRef<str>) {
        let message = self.prefixed(message.as_ref());
        self.found.push(syn::Error::new(at, message));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Every mistake as one `compile_error!` each.
    pub(crate) fn into_tokens(self) -> TokenStream {
        let errors = self.found.iter().map(syn::Error::to_compile_error);
        quote!(#(#errors)*)
    }

    /// A file may hold many processes, so every message names its own.
    fn prefixed(&self, message: &str) -> String {
        match &self.subject {
            Some(subject) => format!("{subject}: {message}"),
            None => message.to_owned(),
        }
    }
}
