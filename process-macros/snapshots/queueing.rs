// How runs are queued and repeated: what is not said is the runtime's to say.
#[process(
    title = "Importing",
    concurrency = 3,
    concurrency_key = r#type,
    priority = -5,
    timeout = "1h 30m",
    retries = 4,
    backoff = "500ms"
)]
async fn import(catalog: State<Catalog>, r#type: String) {
    while !shutting_down() {
        catalog.import_next(&r#type).await;
    }
}

// ---- is written as ----

#[allow(clippy::unused_async)]
async fn import(catalog: State<Catalog>, r#type: String) {
    use ::process_runtime::__private::helpers::*;
    {
        while !shutting_down() {
            catalog.import_next(&r#type).await;
        }
    }
}
#[doc(hidden)]
mod __process_import {
    ///Controller of the process `import`: its page, and its start.
    #[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::marker::Copy)]
    pub struct Import;
    pub trait __Given {
        type Input;
    }
    pub mod __input {
        ///The inputs of the process `import`, for a start from code.
        ///
        ///- `type`: `String`
        pub type ImportInput = <super::Import as super::__Given>::Input;
    }
}
use __process_import::Import as Import;
use __process_import::__input::*;
impl __process_import::Import {
    /// Shows the process's page: description, form, its active and latest runs.
    ///
    /// An axum handler for `GET`, for routes of your own.
    pub async fn show_progress(
        processes: ::process_runtime::__private::HandlerState<
            ::process_runtime::__private::Processes,
        >,
        request: ::process_runtime::__private::Request,
    ) -> ::process_runtime::__private::Response {
        let process = <Self as ::process_runtime::__private::Controller>::PROCESS;
        ::process_runtime::__private::show_progress(process, processes, request).await
    }
    /// Starts a run from a form or from JSON, and answers in the requested format.
    ///
    /// An axum handler for `POST`, for routes of your own.
    pub async fn handle_start(
        processes: ::process_runtime::__private::HandlerState<
            ::process_runtime::__private::Processes,
        >,
        request: ::process_runtime::__private::Request,
    ) -> ::process_runtime::__private::Response {
        let process = <Self as ::process_runtime::__private::Controller>::PROCESS;
        ::process_runtime::__private::handle_start(process, processes, request).await
    }
    /// Starts a run from code, once it is awaited. The input has a member for each field of the form.
    ///
    /// Awaiting it returns an error if an input is invalid or the run cannot be stored.
    pub fn start(
        processes: &::process_runtime::__private::Processes,
        input: __process_import::__input::ImportInput,
    ) -> ::process_runtime::__private::Start {
        let process = <Self as ::process_runtime::__private::Controller>::PROCESS;
        ::process_runtime::__private::start(
            process,
            processes,
            ::std::boxed::Box::new(input),
        )
    }
}
const _: () = {
    fn __process_runtime_types<T0, T1, R>(
        _: impl ::core::ops::FnOnce(T0, T1) -> R,
    ) -> ((::core::marker::PhantomData<T0>,), (::core::marker::PhantomData<T1>,)) {
        ((::core::marker::PhantomData::<T0>,), (::core::marker::PhantomData::<T1>,))
    }
    ///The inputs of the process `import`, for a start from code.
    pub struct ImportInput {
        ///The field `type`.
        pub r#type: String,
    }
    impl __process_import::__Given for __process_import::Import {
        type Input = ImportInput;
    }
    static __PROCESS_RUNTIME_DECLARATION: ::process_runtime::__private::Process = ::process_runtime::__private::Process {
        title: "Importing",
        name: "Import",
        path: "import",
        group: ::core::option::Option::None,
        description: "",
        location: ::process_runtime::__private::Location {
            file: ::core::file!(),
            line: ::core::line!(),
        },
        confirm: ::core::option::Option::None,
        schedule: ::core::option::Option::None,
        policy: ::process_runtime::__private::Policy {
            concurrency: 3,
            concurrency_key: ::core::option::Option::Some("type"),
            priority: -5,
            timeout: ::core::option::Option::Some(
                ::core::time::Duration::from_millis(5400000),
            ),
            retries: 4,
            backoff: ::core::time::Duration::from_millis(500),
            ..::process_runtime::__private::Policy::DEFAULT
        },
        parameters: || {
            let (__process_runtime_marker_0, __process_runtime_marker_1) = __process_runtime_types(
                import,
            );
            ::std::vec![
                ::process_runtime::__private::Injected::describe(__process_runtime_marker_0
                .0, "catalog", | __process_runtime_options | __process_runtime_options),
                ::process_runtime::__private::Parameter::describe(__process_runtime_marker_1
                .0, "type", | __process_runtime_options | __process_runtime_options)
            ]
        },
        typed: |__any| {
            let mut __values = ::process_runtime::__private::Map::new();
            if let ::core::result::Result::Ok(__given) = __any.downcast::<ImportInput>()
            {
                let __process_runtime_given_0 = (__given.r#type,);
                ::process_runtime::__private::Parameter::give(
                    __process_runtime_given_0.0,
                    "type",
                    &mut __values,
                );
            }
            __values
        },
        validate: ::core::option::Option::None,
        entry: |__invocation| {
            let (__process_runtime_marker_0, __process_runtime_marker_1) = __process_runtime_types(
                import,
            );
            let mut __errors: ::process_runtime::__private::FieldErrors = ::core::default::Default::default();
            match (
                ::process_runtime::__private::Injected::collect(
                    __process_runtime_marker_0.0,
                    "catalog",
                    |__process_runtime_options| __process_runtime_options,
                    &__invocation,
                    &mut __errors,
                ),
                ::process_runtime::__private::Parameter::collect(
                    __process_runtime_marker_1.0,
                    "type",
                    |__process_runtime_options| __process_runtime_options,
                    &__invocation,
                    &mut __errors,
                ),
            ) {
                (
                    ::core::option::Option::Some(__value_0),
                    ::core::option::Option::Some(__value_1),
                ) => {
                    ::core::result::Result::Ok(
                        ::std::boxed::Box::pin(async move {
                            let __process_runtime_returned = (
                                import(__value_0, __value_1).await,
                            );
                            let __causes = {
                                use ::process_runtime::__private::causes::*;
                                (&&&&::process_runtime::__private::causes::Returned(
                                    &__process_runtime_returned.0,
                                ))
                                    .causes()
                            };
                            ::process_runtime::__private::IntoOutcome::into_outcome(
                                    __process_runtime_returned.0,
                                )
                                .caused_by(__causes)
                        }),
                    )
                }
                _ => ::core::result::Result::Err(__errors),
            }
        },
    };
    impl ::process_runtime::__private::Controller for __process_import::Import {
        const PROCESS: &'static ::process_runtime::__private::Process = &__PROCESS_RUNTIME_DECLARATION;
    }
    impl ::process_runtime::__private::Input for ImportInput {
        const PROCESS: &'static ::process_runtime::__private::Process = &__PROCESS_RUNTIME_DECLARATION;
    }
    ::process_runtime::__private::inventory::submit! {
        ::process_runtime::__private::Registration(& __PROCESS_RUNTIME_DECLARATION)
    }
};
