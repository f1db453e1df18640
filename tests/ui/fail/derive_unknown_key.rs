use process_runtime::prelude::*;

#[derive(Field)]
enum Region {
    #[field(lable = "The north")]
    North,
}

fn main() {}
