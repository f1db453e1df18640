// An enum as a field.
#[derive(Field)]
pub enum Region {
    /// Everything north of the river.
    ///
    /// And the river itself.
    North,
    #[field(label = "The south", value = "s")]
    South,
}

// ---- is written as ----

impl ::process_runtime::Field for Region {
    type Options = ::process_runtime::field::ChoiceOptions<Self>;
    fn shape(__options: &Self::Options) -> ::process_runtime::field::Shape {
        ::process_runtime::__private::choices(
            &[
                (
                    "north",
                    "Everything north of the river",
                    ::core::option::Option::Some("And the river itself."),
                ),
                ("s", "The south", ::core::option::Option::None),
            ],
            __options.radio,
        )
    }
    fn parse(
        __value: &::process_runtime::__private::Value,
        _: &Self::Options,
    ) -> ::core::result::Result<Self, ::process_runtime::field::FieldErrors> {
        match __value.as_str() {
            ::core::option::Option::Some("north") => {
                ::core::result::Result::Ok(Self::North)
            }
            ::core::option::Option::Some("s") => ::core::result::Result::Ok(Self::South),
            _ => {
                ::core::result::Result::Err(
                    ::process_runtime::__private::not_offered(&["north", "s"], __value),
                )
            }
        }
    }
    fn render(&self) -> ::process_runtime::__private::Value {
        ::core::convert::From::from(
            match self {
                Self::North => "north",
                Self::South => "s",
            },
        )
    }
}
