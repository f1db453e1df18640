//! The helpers are plain functions: in macros, nested functions, closures and macros of the author's.
#![deny(warnings)]

use std::path::Path;

use process_runtime::prelude::*;

macro_rules! step {
    ($index:expr, $total:expr) => {{
        set_progress_of($index, $total);
        log(concat!("step ", stringify!($index)));
    }};
}

#[process(title = "Helping")]
async fn helping(file: String) -> Result<(), std::io::Error> {
    fn finish() {
        set_progress(100);
    }
    macro_rules! say {
        ($text:literal) => {
            set_progress_text($text)
        };
    }
    process_start("Helping out");
    stage("First");
    stage_of(1, 2, "Second");
    let each = |index: usize| step!(index, 3);
    (0..3).filter(|_| !shutting_down()).for_each(each);
    say!("half");
    warn("careful");
    let path = Path::new(&file);
    for item in path.iter().take(path.iter().count()) {
        tally("seen");
        tally_of(item.to_string_lossy(), 2);
        item_failed(item.len(), format_args!("{item:?} is odd"));
    }
    finish();
    artifact("file.txt", file)?;
    end_process("done")
}

#[process(title = "Spawning")]
async fn spawning(progress: Progress) {
    let task = process_runtime::spawn(async { set_progress(1) });
    let other = tokio::spawn(async move { progress.enter(|| set_progress_of(1, 2)) });
    let _ = (task.await, other.await);
}

#[process(title = "In one task")]
async fn in_one_task() {
    tokio::join!(async { log("one") }, async { log("other") });
    tokio::select! {
        () = async { set_progress(50) } => {}
        () = std::future::pending() => log("never"),
    }
}

fn main() {
    let _ = (Helping, Spawning, InOneTask);
}
