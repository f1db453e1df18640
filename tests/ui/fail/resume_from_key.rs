use process_runtime::prelude::*;

#[process(title = "Importing")]
async fn import(cursor: Cursor<String>) {
    for row in (0..10).resume_from(&cursor) {
        log(format!("{row}"));
    }
}

fn main() {}
