use process_runtime::prelude::*;

#[derive(serde::Serialize)]
struct Summary {
    key: Secret<String>,
}

#[process(title = "Making a key")]
async fn make_key() -> Result<Summary, std::fmt::Error> {
    Ok(Summary { key: Secret::new(String::new()) })
}

fn main() {}
