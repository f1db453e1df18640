use process_runtime::prelude::*;

#[derive(Field)]
enum Region {
    North,
    Other(String),
    Named { name: String },
}

fn main() {}
