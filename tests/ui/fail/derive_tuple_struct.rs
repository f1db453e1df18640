use process_runtime::prelude::*;

#[derive(Field)]
struct Percent(f64);

fn main() {}
