use process_runtime::prelude::*;

#[derive(Field)]
struct Line {
    #[field(default = "one")]
    quantity: u32,
}

fn main() {}
