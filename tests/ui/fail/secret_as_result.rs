use process_runtime::prelude::*;

#[process(title = "Making a key")]
async fn make_key() -> Result<Secret<String>, std::fmt::Error> {
    Ok(Secret::new(String::new()))
}

fn main() {}
