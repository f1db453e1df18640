use process_runtime::prelude::*;

#[derive(Field)]
struct Range<T> {
    from: T,
    until: T,
}

fn main() {}
