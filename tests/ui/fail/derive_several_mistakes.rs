use process_runtime::prelude::*;

#[derive(Field)]
struct Line<T> {
    #[field(lable = "How many")]
    quantity: u32,
    #[field(pattern = "(")]
    article: String,
    #[field(min = 5, max = 3)]
    more: T,
}

fn main() {}
