// A struct as a field.
#[derive(Field)]
struct Address {
    /// With the number of the house.
    street: String,
    #[field(pattern = "[0-9]{5}")]
    r#type: Option<Zip>,
}

// ---- is written as ----

const _: () = {
    fn __process_runtime_group() -> ::process_runtime::__private::Group<Address> {
        let __process_runtime_marker_0 = (
            ::process_runtime::__private::marker(|__this: &Address| &__this.street),
        );
        let __process_runtime_marker_1 = (
            ::process_runtime::__private::marker(|__this: &Address| &__this.r#type),
        );
        ::process_runtime::__private::Group::new(
            ::std::vec![
                ::process_runtime::__private::Part::member(__process_runtime_marker_0.0,
                "street", | mut __process_runtime_options | { __process_runtime_options
                .help = ::core::option::Option::Some({ "With the number of the house."
                }); __process_runtime_options }, | __this : & Address | & __this.street),
                ::process_runtime::__private::Part::member(__process_runtime_marker_1.0,
                "type", | mut __process_runtime_options | { __process_runtime_options
                .pattern = ::core::option::Option::Some({ "[0-9]{5}" });
                __process_runtime_options }, | __this : & Address | & __this.r#type)
            ],
            |__values, __wrong| {
                let __process_runtime_marker_0 = (
                    ::process_runtime::__private::marker(|__this: &Address| {
                        &__this.street
                    }),
                );
                let __process_runtime_marker_1 = (
                    ::process_runtime::__private::marker(|__this: &Address| {
                        &__this.r#type
                    }),
                );
                let (__member_0, __member_1) = (
                    ::process_runtime::__private::Part::take(
                        __process_runtime_marker_0.0,
                        "street",
                        |mut __process_runtime_options| {
                            __process_runtime_options.help = ::core::option::Option::Some({
                                "With the number of the house."
                            });
                            __process_runtime_options
                        },
                        __values,
                        __wrong,
                    ),
                    ::process_runtime::__private::Part::take(
                        __process_runtime_marker_1.0,
                        "type",
                        |mut __process_runtime_options| {
                            __process_runtime_options.pattern = ::core::option::Option::Some({
                                "[0-9]{5}"
                            });
                            __process_runtime_options
                        },
                        __values,
                        __wrong,
                    ),
                );
                ::core::option::Option::Some(Address {
                    street: __member_0?,
                    r#type: __member_1?,
                })
            },
        )
    }
    impl ::process_runtime::Field for Address {
        type Options = ::process_runtime::field::PlainOptions<Self>;
        fn shape(_: &Self::Options) -> ::process_runtime::field::Shape {
            __process_runtime_group().shape()
        }
        fn parse(
            __value: &::process_runtime::__private::Value,
            _: &Self::Options,
        ) -> ::core::result::Result<Self, ::process_runtime::field::FieldErrors> {
            __process_runtime_group().parse(__value)
        }
        fn render(&self) -> ::process_runtime::__private::Value {
            __process_runtime_group().write(self, false)
        }
        fn reveal(&self) -> ::process_runtime::__private::Value {
            __process_runtime_group().write(self, true)
        }
    }
};
