// A struct with a mistake: the error, and an implementation so that nothing else is said.
#[derive(Field)]
struct Address {
    #[field(lable = "Street")]
    street: String,
}

// ---- is written as ----

::core::compile_error! {
    "field `Address`: unknown key `lable`: did you mean `label`?"
}
impl ::process_runtime::Field for Address
where
    Self: ::core::marker::Send + 'static,
{
    type Options = ::process_runtime::field::ChoiceOptions<Self>;
    fn shape(_: &Self::Options) -> ::process_runtime::field::Shape {
        ::process_runtime::field::Shape::Checkbox
    }
    fn parse(
        _: &::process_runtime::__private::Value,
        _: &Self::Options,
    ) -> ::core::result::Result<Self, ::process_runtime::field::FieldErrors> {
        ::core::result::Result::Err(::core::convert::From::from("not understood"))
    }
    fn render(&self) -> ::process_runtime::__private::Value {
        ::process_runtime::__private::Value::Null
    }
}
