// With mistakes: the errors, and beside them enough for everything that refers to the process.
#[process(titel = "Recalculating prices")]
fn recalculate_prices(percent: f64, log: bool) {
    set_progress(percent);
}

// ---- is written as ----

::core::compile_error! {
    "process `recalculate_prices`: unknown key `titel`: did you mean `title`?"
}
::core::compile_error! {
    "process `recalculate_prices`: a process must be async: write `async fn recalculate_prices`"
}
::core::compile_error! {
    "process `recalculate_prices`: rename this parameter: it hides the helper `log`"
}
#[allow(clippy::unused_async)]
async fn recalculate_prices(percent: f64, log: bool) {
    use ::process_runtime::__private::helpers::{
        artifact, end_process, item_failed, process_start, set_progress, set_progress_of,
        set_progress_text, set_title, shutting_down, stage, stage_of, tally, tally_of,
        warn,
    };
    {
        set_progress(percent);
    }
}
#[doc(hidden)]
mod __process_recalculate_prices {
    ///Controller of the process `recalculate_prices`: its page, and its start.
    #[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::marker::Copy)]
    pub struct RecalculatePrices;
    pub trait __Given {
        type Input;
    }
    pub mod __input {
        ///The inputs of the process `recalculate_prices`, for a start from code.
        ///
        ///- `percent`: `f64`
        ///- `log`: `bool`
        pub type RecalculatePricesInput = <super::RecalculatePrices as super::__Given>::Input;
    }
}
use __process_recalculate_prices::RecalculatePrices as RecalculatePrices;
use __process_recalculate_prices::__input::*;
impl __process_recalculate_prices::RecalculatePrices {
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
        input: __process_recalculate_prices::__input::RecalculatePricesInput,
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
    ///The inputs of the process `recalculate_prices`, for a start from code.
    pub struct RecalculatePricesInput {
        ///The field `percent`.
        pub percent: f64,
        ///The field `log`.
        pub log: bool,
    }
    impl __process_recalculate_prices::__Given
    for __process_recalculate_prices::RecalculatePrices {
        type Input = RecalculatePricesInput;
    }
    static __PROCESS_RUNTIME_DECLARATION: ::process_runtime::__private::Process = ::process_runtime::__private::Process {
        title: "",
        name: "RecalculatePrices",
        path: "recalculate-prices",
        group: ::core::option::Option::None,
        description: "",
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
        entry: |_| ::core::result::Result::Err(::core::default::Default::default()),
    };
    impl ::process_runtime::__private::Controller
    for __process_recalculate_prices::RecalculatePrices {
        const PROCESS: &'static ::process_runtime::__private::Process = &__PROCESS_RUNTIME_DECLARATION;
    }
    impl ::process_runtime::__private::Input for RecalculatePricesInput {
        const PROCESS: &'static ::process_runtime::__private::Process = &__PROCESS_RUNTIME_DECLARATION;
    }
};
