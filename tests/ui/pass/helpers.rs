//! The helpers are plain functions: in macros, nested functions, closures and macros of the author's.
#![deny(warnings)]

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

fn main() {
    let _ = (Helping, Spawning);
}
