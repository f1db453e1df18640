// A process without parameters.
#[process(title = "Cleaning up")]
/// Removes what nobody needs.
async fn clean_up() {
    set_progress(100);
}

// ---- is written as ----

/// Removes what nobody needs.
#[allow(clippy::unused_async)]
async fn clean_up() {
    use ::process_runtime::__private::helpers::*;
    {
        set_progress(100);
    }
}
#[doc(hidden)]
mod __process_clean_up {
    ///Controller of the process `clean_up`: its page, and its start.
    #[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::marker::Copy)]
    pub struct CleanUp;
}
/// Removes what nobody needs.
use __process_clean_up::CleanUp as CleanUp;
impl __process_clean_up::CleanUp {
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
        input: (),
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
    static __PROCESS_RUNTIME_DECLARATION: ::process_runtime::__private::Process = ::process_runtime::__private::Process {
        title: "Cleaning up",
        name: "CleanUp",
        path: "clean-up",
        group: ::core::option::Option::None,
        description: "Removes what nobody needs.",
        location: ::process_runtime::__private::Location {
            file: ::core::file!(),
            line: ::core::line!(),
        },
        confirm: ::core::option::Option::None,
        schedule: ::core::option::Option::None,
        policy: ::process_runtime::__private::Policy::DEFAULT,
        parameters: || ::std::vec::Vec::new(),
        typed: |_| ::core::default::Default::default(),
        validate: ::core::option::Option::None,
        entry: |_| ::core::result::Result::Ok(
            ::std::boxed::Box::pin(async move {
                let __process_runtime_returned = (clean_up().await,);
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
        ),
    };
    impl ::process_runtime::__private::Controller for __process_clean_up::CleanUp {
        const PROCESS: &'static ::process_runtime::__private::Process = &__PROCESS_RUNTIME_DECLARATION;
    }
    ::process_runtime::__private::inventory::submit! {
        ::process_runtime::__private::Registration(& __PROCESS_RUNTIME_DECLARATION)
    }
};
