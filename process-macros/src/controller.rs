//! The type that controls a process: its handlers, its start, its declaration and registration.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::Ident;

use crate::input;
use crate::item::Function;
use crate::model::Model;

/// The parts of a declaration that differ between a good process and a bad one.
pub(crate) struct Parts {
    /// Items that the two below use.
    pub(crate) support: TokenStream,
    /// A `fn() -> Vec<ParameterInfo>`.
    pub(crate) parameters: TokenStream,
    /// A `fn(Invocation) -> Result<BoxFuture<'static, Ending>, FieldErrors>`.
    pub(crate) entry: TokenStream,
    /// A `fn(Box<dyn Any>) -> Map<String, Value>`.
    pub(crate) typed: TokenStream,
    /// An `Option<fn(&Map<String, Value>) -> Result<(), FieldErrors>>`.
    pub(crate) validate: TokenStream,
    /// False keeps the process out of the registry.
    pub(crate) registered: bool,
}

/// The controller called `name`, in the function's own module and as visible as the function.
pub(crate) fn controller(model: &Model, name: &Ident, function: &Function, parts: &Parts) -> TokenStream {
    let runtime = &model.runtime;
    let visibility = &function.visibility;
    let conditions = function.conditions();
    let docs = function.docs();
    let summary = format!("Controller of the process `{}`: its page, and its start.", function.name());
    // In its own module, the type is never confused with another one of the same name: a name clash is one error at
    // both functions' names, instead of one for each method and trait.
    let module = format_ident!("__process_{}", function.name(), span = Span::call_site());
    // Its span is the function's, so that "go to definition" in an editor leads there.
    let place = Span::call_site().located_at(name.span());
    let source = Ident::new(&name.to_string(), place);
    let placed_module = Ident::new(&module.to_string(), place);
    // Only a part has that span; otherwise rustc would suggest another name after the function's.
    let unplaced = Ident::new(&name.to_string(), Span::call_site());
    let export = quote_spanned!(place=> use #placed_module::#unplaced as #source;);
    let way = input::way(model, function, &source);
    let input_export = input::export(model, function, &module);
    let input = input::ty(model, &module);
    let declaration = declaration(model, &module, &source, function, parts);
    quote! {
        #(#conditions)*
        #[doc(hidden)]
        mod #module {
            #[doc = #summary]
            #[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::marker::Copy)]
            pub struct #source;

            #way
        }

        #(#conditions)*
        #(#docs)*
        #visibility #export

        #input_export

        #(#conditions)*
        impl #module::#source {
            /// Shows the process's page: description, form, its active and latest runs.
            ///
            /// An axum handler for `GET`, for routes of your own.
            pub async fn show_progress(
                processes: #runtime::__private::HandlerState<#runtime::__private::Processes>,
                request: #runtime::__private::Request,
            ) -> #runtime::__private::Response {
                let process = <Self as #runtime::__private::Controller>::PROCESS;
                #runtime::__private::show_progress(process, processes, request).await
            }

            /// Starts a run from a form or from JSON, and answers in the requested format.
            ///
            /// An axum handler for `POST`, for routes of your own.
            pub async fn handle_start(
                processes: #runtime::__private::HandlerState<#runtime::__private::Processes>,
                request: #runtime::__private::Request,
            ) -> #runtime::__private::Response {
                let process = <Self as #runtime::__private::Controller>::PROCESS;
                #runtime::__private::handle_start(process, processes, request).await
            }

            /// Starts a run from code, once it is awaited. The input has a member for each field of the form.
            ///
            /// Awaiting it returns an error if an input is invalid or the run cannot be stored.
            pub fn start(
                processes: &#runtime::__private::Processes,
                input: #input,
            ) -> #runtime::__private::Start {
                let process = <Self as #runtime::__private::Controller>::PROCESS;
                #runtime::__private::start(process, processes, ::std::boxed::Box::new(input))
            }
        }

        #(#conditions)*
        #declaration
    }
}

/// Everything that needs no name, in a block. The author's types and defaults appear in it, too, so its only named item
/// has a name that nobody else uses.
fn declaration(
    model: &Model,
    module: &Ident,
    name: &Ident,
    function: &Function,
    parts: &Parts,
) -> TokenStream {
    let Model { runtime, title, route, description, .. } = model;
    let group = match &model.group {
        Some(group) => quote!(::core::option::Option::Some(#group)),
        None => quote!(::core::option::Option::None),
    };
    // At the function's name, so that the location is the function's and not the attribute's.
    let place = function.name().span();
    let file = quote_spanned!(place=> ::core::file!());
    let line = quote_spanned!(place=> ::core::line!());
    let type_name = name.to_string();
    let type_name = type_name.trim_start_matches("r#");
    let input = input::definition(model, function, module, name);
    let Parts { support, parameters, entry, typed, validate, .. } = parts;
    let policy = model.policy.code(runtime);
    let confirm = match &model.confirm {
        Some(question) => quote!(::core::option::Option::Some(#question)),
        None => quote!(::core::option::Option::None),
    };
    let schedule = match &model.schedule {
        Some(schedule) => quote!(::core::option::Option::Some(#schedule)),
        None => quote!(::core::option::Option::None),
    };
    let registration = parts.registered.then(|| {
        quote! {
            #runtime::__private::inventory::submit! {
                #runtime::__private::Registration(&__PROCESS_RUNTIME_DECLARATION)
            }
        }
    });
    let taken = input::name(model, function).map(|input| {
        quote! {
            impl #runtime::__private::Input for #input {
                const PROCESS: &'static #runtime::__private::Process = &__PROCESS_RUNTIME_DECLARATION;
            }
        }
    });
    // Being called by the runtime is not a use that the author can avoid.
    let deprecated = function.is_deprecated().then(|| quote!(#[allow(deprecated)]));
    // The author's path may be longer than necessary here.
    let long_path = model.runtime_given.then(|| quote!(#[allow(unused_qualifications)]));
    quote! {
        #deprecated
        #long_path
        const _: () = {
            #support

            #input

            static __PROCESS_RUNTIME_DECLARATION: #runtime::__private::Process =
                #runtime::__private::Process {
                    title: #title,
                    name: #type_name,
                    path: #route,
                    group: #group,
                    description: #description,
                    location: #runtime::__private::Location { file: #file, line: #line },
                    confirm: #confirm,
                    schedule: #schedule,
                    policy: #policy,
                    parameters: #parameters,
                    typed: #typed,
                    validate: #validate,
                    entry: #entry,
                };

            impl #runtime::__private::Controller for #module::#name {
                const PROCESS: &'static #runtime::__private::Process = &__PROCESS_RUNTIME_DECLARATION;
            }

            #taken

            #registration
        };
    }
}
