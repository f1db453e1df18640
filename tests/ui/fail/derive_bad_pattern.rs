use process_runtime::prelude::*;

#[derive(Field)]
struct Address {
    #[field(pattern = "[0-9{5}")]
    zip: String,
}

fn main() {}
