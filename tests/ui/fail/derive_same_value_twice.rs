use process_runtime::prelude::*;

#[derive(Field)]
enum Region {
    North,
    #[field(value = "north")]
    Norden,
}

fn main() {}
