use process_runtime::prelude::*;

#[derive(Field)]
struct Region {}

fn main() {}
