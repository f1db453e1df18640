use process_runtime::prelude::*;

struct Place;

#[process(title = "Importing")]
async fn import(cursor: Cursor<Place>) {
    let _ = cursor;
}

fn main() {}
