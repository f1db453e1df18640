//! A server with the fixtures, to be killed. Prints its address; its folder is the first argument, and the second,
//! where there is one, after how many milliseconds of silence a run counts as stalled.

use std::error::Error;

use process_tests::fixtures::Traces;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args_os().nth(1).ok_or("the data folder is missing")?;
    let mut builder = process_runtime::builder()
        .data(folder)
        .state(Traces::default())
        .grace(std::time::Duration::from_secs(2));
    if let Some(silence) = std::env::args().nth(2) {
        builder = builder.stalled_after(std::time::Duration::from_millis(silence.parse()?));
    }
    let processes = builder.build()?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    Ok(process_runtime::serve_on(listener, processes).await?)
}
