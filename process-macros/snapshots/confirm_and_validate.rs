// A question before the start, and a function that looks at all inputs together.
#[process(title = "Deleting users", confirm = "Really delete them all?", validate = check, crate = jobs)]
async fn delete_users(before: Date) {
    log(before.to_string());
}

// ---- is written as ----

#[allow(clippy::unused_async)]
async fn delete_users(before: Date) {
    use jobs::__private::helpers::*;
    {
        log(before.to_string());
    }
}
#[doc(hidden)]
mod __process_delete_users {
    ///Controller of the process `delete_users`: its page, and its start.
    #[derive(::core::fmt::Debug, ::core::clone::Clone, ::core::marker::Copy)]
    pub struct DeleteUsers;
    pub trait __Given {
        type Input;
    }
    pub mod __input {
        ///The inputs of the process `delete_users`, for a start from code.
        ///
        ///- `before`: `Date`
        pub type DeleteUsersInput = <super::DeleteUsers as super::__Given>::Input;
    }
}
use __process_delete_users::DeleteUsers as DeleteUsers;
use __process_delete_users::__input::*;
impl __process_delete_users::DeleteUsers {
    /// Shows the process's page: description, form, its active and latest runs.
    ///
    /// An axum handler for `GET`, for routes of your own.
    pub async fn show_progress(
        processes: jobs::__private::HandlerState<jobs::__private::Processes>,
        request: jobs::__private::Request,
    ) -> jobs::__private::Response {
        let process = <Self as jobs::__private::Controller>::PROCESS;
        jobs::__private::show_progress(process, processes, request).await
    }
    /// Starts a run from a form or from JSON, and answers in the requested format.
    ///
    /// An axum handler for `POST`, for routes of your own.
    pub async fn handle_start(
        processes: jobs::__private::HandlerState<jobs::__private::Processes>,
        request: jobs::__private::Request,
    ) -> jobs::__private::Response {
        let process = <Self as jobs::__private::Controller>::PROCESS;
        jobs::__private::handle_start(process, processes, request).await
    }
    /// Starts a run from code, once it is awaited. The input has a member for each field of the form.
    ///
    /// Awaiting it returns an error if an input is invalid or the run cannot be stored.
    pub fn start(
        processes: &jobs::__private::Processes,
        input: __process_delete_users::__input::DeleteUsersInput,
    ) -> jobs::__private::Start {
        let process = <Self as jobs::__private::Controller>::PROCESS;
        jobs::__private::start(process, processes, ::std::boxed::Box::new(input))
    }
}
#[allow(unused_qualifications)]
const _: () = {
    fn __process_runtime_types<T0, R>(
        _: impl ::core::ops::FnOnce(T0) -> R,
    ) -> ((::core::marker::PhantomData<T0>,),) {
        ((::core::marker::PhantomData::<T0>,),)
    }
    ///The inputs of the process `delete_users`, for a start from code.
    pub struct DeleteUsersInput {
        ///The field `before`.
        pub before: Date,
    }
    impl __process_delete_users::__Given for __process_delete_users::DeleteUsers {
        type Input = DeleteUsersInput;
    }
    static __PROCESS_RUNTIME_DECLARATION: jobs::__private::Process = jobs::__private::Process {
        title: "Deleting users",
        name: "DeleteUsers",
        path: "delete-users",
        group: ::core::option::Option::None,
        description: "",
        location: jobs::__private::Location {
            file: ::core::file!(),
            line: ::core::line!(),
        },
        confirm: ::core::option::Option::Some("Really delete them all?"),
        schedule: ::core::option::Option::None,
        policy: jobs::__private::Policy::DEFAULT,
        parameters: || {
            let (__process_runtime_marker_0,) = __process_runtime_types(delete_users);
            ::std::vec![
                jobs::__private::Parameter::describe(__process_runtime_marker_0.0,
                "before", | __process_runtime_options | __process_runtime_options)
            ]
        },
        typed: |__any| {
            let mut __values = jobs::__private::Map::new();
            if let ::core::result::Result::Ok(__given) = __any
                .downcast::<DeleteUsersInput>()
            {
                let __process_runtime_given_0 = (__given.before,);
                jobs::__private::Parameter::give(
                    __process_runtime_given_0.0,
                    "before",
                    &mut __values,
                );
            }
            __values
        },
        validate: ::core::option::Option::Some(|__values| {
            let (__process_runtime_marker_0,) = __process_runtime_types(delete_users);
            let mut __errors: jobs::__private::FieldErrors = ::core::default::Default::default();
            match (
                jobs::__private::Part::take(
                    __process_runtime_marker_0.0,
                    "before",
                    |__process_runtime_options| __process_runtime_options,
                    __values,
                    &mut __errors,
                ),
            ) {
                (::core::option::Option::Some(__value_0),) => {
                    let __input = DeleteUsersInput {
                        before: __value_0,
                    };
                    jobs::__private::validate(&__input, check)
                }
                _ => ::core::result::Result::Err(__errors),
            }
        }),
        entry: |__invocation| {
            let (__process_runtime_marker_0,) = __process_runtime_types(delete_users);
            let mut __errors: jobs::__private::FieldErrors = ::core::default::Default::default();
            match (
                jobs::__private::Parameter::collect(
                    __process_runtime_marker_0.0,
                    "before",
                    |__process_runtime_options| __process_runtime_options,
                    &__invocation,
                    &mut __errors,
                ),
            ) {
                (::core::option::Option::Some(__value_0),) => {
                    ::core::result::Result::Ok(
                        ::std::boxed::Box::pin(async move {
                            let __process_runtime_returned = (
                                delete_users(__value_0).await,
                            );
                            let __causes = {
                                use jobs::__private::causes::*;
                                (&&&&jobs::__private::causes::Returned(
                                    &__process_runtime_returned.0,
                                ))
                                    .causes()
                            };
                            jobs::__private::IntoOutcome::into_outcome(
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
    impl jobs::__private::Controller for __process_delete_users::DeleteUsers {
        const PROCESS: &'static jobs::__private::Process = &__PROCESS_RUNTIME_DECLARATION;
    }
    impl jobs::__private::Input for DeleteUsersInput {
        const PROCESS: &'static jobs::__private::Process = &__PROCESS_RUNTIME_DECLARATION;
    }
    jobs::__private::inventory::submit! {
        jobs::__private::Registration(& __PROCESS_RUNTIME_DECLARATION)
    }
};
