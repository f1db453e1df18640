//! What a process can return, and that it is still a function one can call.
#![deny(warnings)]

use std::convert::Infallible;

use process_runtime::prelude::*;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

#[process(title = "Nothing")]
async fn nothing() {}

#[process(title = "Unit")]
async fn unit() -> () {}

#[process(title = "A result")]
async fn a_result(total: u32) -> Result<u32, Infallible> {
    Ok(total + 1)
}

#[process(title = "An alias")]
async fn an_alias(text: String) -> Fallible<f64> {
    let number: f64 = text.parse()?;
    Ok(number)
}

#[process(title = "The alias of the standard library")]
async fn io_alias(path: String) -> std::io::Result<()> {
    std::fs::remove_file(path)
}

#[process(title = "A report")]
async fn report(text: String) -> anyhow::Result<u64> {
    Ok(text.parse()?)
}

#[process(title = "A result in a result")]
async fn nested(text: String) -> Result<Result<u64, String>, Infallible> {
    Ok(text.parse().map_err(|_| text))
}

#[process(title = "Ended")]
async fn ended() -> Result<(), String> {
    end_process(serde_json::json!({ "total": 1 }))
}

#[process(title = "Early")]
async fn early(stop: bool) -> Result<(), String> {
    if stop {
        return Err("stopped".into());
    }
    let Some(_) = Some(1) else { end_process(()) };
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    nothing().await;
    unit().await;
    assert_eq!(a_result(1).await, Ok(2));
    assert!(an_alias("x".into()).await.is_err());
    assert!(io_alias(String::new()).await.is_err());
    assert_eq!(report("7".into()).await.ok(), Some(7));
    assert_eq!(nested("x".into()).await, Ok(Err("x".into())));
    assert_eq!(early(true).await, Err("stopped".into()));
    let _ = (ended, Ended);
}
