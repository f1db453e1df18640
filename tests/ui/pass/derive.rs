//! `#[derive(Field)]`: inside of each other, raw names, in bodies and private modules, behind a facade.
#![deny(warnings, missing_docs, unreachable_pub, rust_2018_idioms, unused_qualifications)]
#![forbid(unsafe_code)]

extern crate process_runtime as renamed;

use process_runtime::field::Shape;
use process_runtime::prelude::*;

mod facade {
    pub(crate) use process_runtime as jobs;
}

#[derive(Field)]
#[allow(non_camel_case_types)]
enum Kind {
    /// The first one.
    ///
    /// And a hint.
    r#type,
    #[field(label = "Asynchronous", help = "Later", value = "later")]
    r#async,
    NorthWest,
}

#[derive(Field)]
struct Inner {
    r#type: Kind,
    /// How many.
    #[field(min = 1, max = 9, default = 1)]
    r#match: u8,
    #[field(radio)]
    kind: Option<Kind>,
}

#[derive(Field)]
struct Outer {
    inner: Inner,
    maybe: Option<Inner>,
    many: Vec<Inner>,
    #[field(default = Kind::NorthWest)]
    value: Kind,
    // Names that the expansion might use.
    values: String,
    wrong: Vec<String>,
    this: Secret<String>,
    options: Option<Upload>,
}

#[process(title = "Nested")]
async fn nested(outer: Outer, #[field(default = Kind::r#type)] r#fn: Kind, r#struct: Option<Inner>) {
    let Outer { inner, maybe, many, value, values, wrong, this, options } = outer;
    let _ = (inner.r#type, inner.r#match, inner.kind, maybe, many, value, values, wrong, this, options);
    let _ = (r#fn, r#struct);
}

mod private {
    mod deeper {
        use process_runtime::prelude::*;

        #[derive(Field)]
        pub(in crate::private) enum Hidden {
            Only,
        }

        #[process(title = "Hidden", name = Shown)]
        pub(in crate::private) async fn hidden(one: Hidden) {
            let Hidden::Only = one;
        }
    }

    pub(crate) fn process() -> &'static process_runtime::Process {
        drop(deeper::hidden(deeper::Hidden::Only));
        <deeper::Shown as process_runtime::Controller>::PROCESS
    }
}

#[derive(Field)]
#[field(crate = facade::jobs)]
enum Facaded {
    One,
}

#[derive(renamed::Field)]
#[field(crate = crate::renamed)]
struct Renamed {
    #[field(default = Facaded::One)]
    one: Facaded,
    #[field(default = "text", pattern = "[a-z]+")]
    text: String,
}

#[process(title = "Elsewhere", crate = crate::renamed)]
async fn elsewhere(renamed: Renamed) {
    let Facaded::One = renamed.one;
    log(renamed.text);
}

fn main() {
    #[derive(Field)]
    struct Local {
        kind: Kind,
    }

    #[process(title = "In a body")]
    async fn in_a_body(local: Local) {
        let _ = local.kind;
    }

    let fields = Nested::PROCESS.fields();
    let Shape::Group(outer) = &fields[0].shape else { panic!("a group") };
    let Shape::Group(inner) = &outer[0].shape else { panic!("a group") };
    assert_eq!(inner[0].name, "type");
    let Shape::Choice { choices, .. } = &inner[0].shape else { panic!("a choice") };
    let choices: Vec<_> = choices
        .iter()
        .map(|choice| (choice.value.as_str().unwrap(), choice.label.as_str(), choice.help))
        .collect();
    assert_eq!(
        choices,
        [
            ("type", "The first one", Some("And a hint.")),
            ("later", "Asynchronous", Some("Later")),
            ("north_west", "North west", None)
        ]
    );
    assert_eq!(fields[1].default, Some("type".into()));
    assert_eq!(InABody::PROCESS.fields()[0].name, "local");
    assert_eq!(Elsewhere::PROCESS.fields()[0].name, "renamed");
    assert_eq!(private::process().title, "Hidden");
}
