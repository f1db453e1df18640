use process_runtime::prelude::*;

#[derive(Field)]
union Number {
    whole: u64,
    real: f64,
}

fn main() {}
