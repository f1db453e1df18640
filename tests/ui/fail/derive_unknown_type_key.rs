use process_runtime::prelude::*;

#[derive(Field)]
#[field(crat = ::process_runtime)]
struct Line {
    quantity: u32,
}

fn main() {}
