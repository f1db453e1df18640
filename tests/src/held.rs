//! Holds runs at a step, so that tests can observe them on any machine.

use std::env;
use std::path::Path;
use std::time::Duration;

/// The folder with a file `hold-{process}` for each process whose runs are to wait.
const FOLDER: &str = "PROCESS_TEST_HOLD";

/// Waits until its process's file is gone.
pub async fn held(process: &str) {
    let Some(folder) = env::var_os(FOLDER) else { return };
    let file = Path::new(&folder).join(format!("hold-{process}"));
    while file.exists() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Waits at the middle of its steps.
pub async fn half_way(process: &str, step: u64, steps: u64) {
    if step == steps.div_ceil(2) {
        held(process).await;
    }
}
