use process_runtime::prelude::*;

#[derive(Field)]
struct Line {
    #[field(max_len = 5)]
    quantity: u32,
}

fn main() {}
