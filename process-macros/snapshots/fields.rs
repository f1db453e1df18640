// State, the run's handle, and fields with options; a group.
#[process(title = "Recalculating prices", group = "shop")]
pub(crate) async fn recalculate_prices(
    catalog: State<Catalog>,
    progress: Progress,
    #[field(min = 0, max = 100, default = 2.5)] percent: f64,
    /// Which ones.
    #[field(default = "all", choices = ["all", "none"])]
    category: Option<String>,
) -> Result<Summary, Error> {
    let products = catalog.products().await?;
    Ok(Summary { total: products.len() })
}

// ---- is written as ----

#[allow(clippy::unused_async)]
pub(crate) async fn recalculate_prices(
    catalog: State<Catalog>,
    progress: Progress,
    percent: f64,
    category: Option<String>,
) -> Result<Summary, Error> {
    use ::process_runtime::__private::helpers::*;
    {
        let products = catalog.products().await?;
        Ok(Summary { total: products.len() })
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
        ///- `category`: `Option<String>`
        pub type RecalculatePricesInput = <super::RecalculatePrices as super::__Given>::Input;
    }
}
pub(crate) use __process_recalculate_prices::RecalculatePrices as RecalculatePrices;
pub(crate) use __process_recalculate_prices::__input::*;
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
    fn __process_runtime_types<T0, T1, T2, T3, R>(
        _: impl ::core::ops::FnOnce(T0, T1, T2, T3) -> R,
    ) -> (
        (::core::marker::PhantomData<T0>,),
        (::core::marker::PhantomData<T1>,),
        (::core::marker::PhantomData<T2>,),
        (::core::marker::PhantomData<T3>,),
    ) {
        (
            (::core::marker::PhantomData::<T0>,),
            (::core::marker::PhantomData::<T1>,),
            (::core::marker::PhantomData::<T2>,),
            (::core::marker::PhantomData::<T3>,),
        )
    }
    ///The inputs of the process `recalculate_prices`, for a start from code.
    pub struct RecalculatePricesInput {
        ///The field `percent`.
        pub percent: f64,
        ///Which ones.
        pub category: Option<String>,
    }
    impl __process_recalculate_prices::__Given
    for __process_recalculate_prices::RecalculatePrices {
        type Input = RecalculatePricesInput;
    }
    static __PROCESS_RUNTIME_DECLARATION: ::process_runtime::__private::Process = ::process_runtime::__private::Process {
        title: "Recalculating prices",
        name: "RecalculatePrices",
        path: "recalculate-prices",
        group: ::core::option::Option::Some("shop"),
        description: "",
        location: ::process_runtime::__private::Location {
            file: ::core::file!(),
            line: ::core::line!(),
        },
        confirm: ::core::option::Option::None,
        schedule: ::core::option::Option::None,
        policy: ::process_runtime::__private::Policy::DEFAULT,
        parameters: || {
            let (
                __process_runtime_marker_0,
                __process_runtime_marker_1,
                __process_runtime_marker_2,
                __process_runtime_marker_3,
            ) = __process_runtime_types(recalculate_prices);
            ::std::vec![
                ::process_runtime::__private::Injected::describe(__process_runtime_marker_0
                .0, "catalog", | __process_runtime_options | __process_runtime_options),
                ::process_runtime::__private::Parameter::describe(__process_runtime_marker_1
                .0, "progress", | __process_runtime_options | __process_runtime_options),
                ::process_runtime::__private::Parameter::describe(__process_runtime_marker_2
                .0, "percent", | mut __process_runtime_options | {
                __process_runtime_options.min = ::core::option::Option::Some({ 0 });
                __process_runtime_options.max = ::core::option::Option::Some({ 100 });
                __process_runtime_options.default = ::core::option::Option::Some({ 2.5
                }); __process_runtime_options }),
                ::process_runtime::__private::Parameter::describe(__process_runtime_marker_3
                .0, "category", | mut __process_runtime_options | {
                __process_runtime_options.default = ::core::option::Option::Some({
                ::process_runtime::__private::FromText::from_text("all") });
                __process_runtime_options.choices = ::core::option::Option::Some({ < [_]
                >
                ::into_vec(::std::boxed::Box::new([::process_runtime::__private::FromText::from_text("all"),
                ::process_runtime::__private::FromText::from_text("none")])) });
                __process_runtime_options.help = ::core::option::Option::Some({
                "Which ones." }); __process_runtime_options })
            ]
        },
        typed: |__any| {
            let mut __values = ::process_runtime::__private::Map::new();
            if let ::core::result::Result::Ok(__given) = __any
                .downcast::<RecalculatePricesInput>()
            {
                let __process_runtime_given_0 = (__given.percent,);
                ::process_runtime::__private::Parameter::give(
                    __process_runtime_given_0.0,
                    "percent",
                    &mut __values,
                );
                let __process_runtime_given_1 = (__given.category,);
                ::process_runtime::__private::Parameter::give(
                    __process_runtime_given_1.0,
                    "category",
                    &mut __values,
                );
            }
            __values
        },
        validate: ::core::option::Option::None,
        entry: |__invocation| {
            let (
                __process_runtime_marker_0,
                __process_runtime_marker_1,
                __process_runtime_marker_2,
                __process_runtime_marker_3,
            ) = __process_runtime_types(recalculate_prices);
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
                    "progress",
                    |__process_runtime_options| __process_runtime_options,
                    &__invocation,
                    &mut __errors,
                ),
                ::process_runtime::__private::Parameter::collect(
                    __process_runtime_marker_2.0,
                    "percent",
                    |mut __process_runtime_options| {
                        __process_runtime_options.min = ::core::option::Option::Some({
                            0
                        });
                        __process_runtime_options.max = ::core::option::Option::Some({
                            100
                        });
                        __process_runtime_options.default = ::core::option::Option::Some({
                            2.5
                        });
                        __process_runtime_options
                    },
                    &__invocation,
                    &mut __errors,
                ),
                ::process_runtime::__private::Parameter::collect(
                    __process_runtime_marker_3.0,
                    "category",
                    |mut __process_runtime_options| {
                        __process_runtime_options.default = ::core::option::Option::Some({
                            ::process_runtime::__private::FromText::from_text("all")
                        });
                        __process_runtime_options.choices = ::core::option::Option::Some({
                            <[_]>::into_vec(
                                ::std::boxed::Box::new([
                                    ::process_runtime::__private::FromText::from_text("all"),
                                    ::process_runtime::__private::FromText::from_text("none"),
                                ]),
                            )
                        });
                        __process_runtime_options.help = ::core::option::Option::Some({
                            "Which ones."
                        });
                        __process_runtime_options
                    },
                    &__invocation,
                    &mut __errors,
                ),
            ) {
                (
                    ::core::option::Option::Some(__value_0),
                    ::core::option::Option::Some(__value_1),
                    ::core::option::Option::Some(__value_2),
                    ::core::option::Option::Some(__value_3),
                ) => {
                    ::core::result::Result::Ok(
                        ::std::boxed::Box::pin(async move {
                            let __process_runtime_returned = (
                                recalculate_prices(
                                        __value_0,
                                        __value_1,
                                        __value_2,
                                        __value_3,
                                    )
                                    .await,
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
    impl ::process_runtime::__private::Controller
    for __process_recalculate_prices::RecalculatePrices {
        const PROCESS: &'static ::process_runtime::__private::Process = &__PROCESS_RUNTIME_DECLARATION;
    }
    impl ::process_runtime::__private::Input for RecalculatePricesInput {
        const PROCESS: &'static ::process_runtime::__private::Process = &__PROCESS_RUNTIME_DECLARATION;
    }
    ::process_runtime::__private::inventory::submit! {
        ::process_runtime::__private::Registration(& __PROCESS_RUNTIME_DECLARATION)
    }
};
