use process_runtime::prelude::*;

#[derive(Field)]
enum Region {}

fn main() {}
