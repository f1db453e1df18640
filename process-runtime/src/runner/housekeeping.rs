//! Retention: removes ended runs that are older than the settings allow, and files that belong to no run.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::Inner;
use crate::run::RunId;
use crate::store::Retention;
use crate::text::OneLine;

/// The pause between two steps, for other users of the store.
const PAUSE: Duration = Duration::from_millis(20);
/// The shortest and longest intervals between two searches for old runs.
const OFTEN: Duration = Duration::from_secs(1);
const SELDOM: Duration = Duration::from_secs(10 * 60);

/// Removes leftover files once, and then old runs as long as this node runs.
pub(super) async fn run_maintenance(shared: Arc<Inner>) {
    clear_up(&shared).await;
    let settings = &shared.settings;
    if settings.retain_for.is_none() && settings.retain_last.is_none() {
        return;
    }
    let pause = settings.retain_for.map_or(SELDOM, |age| (age / 10).clamp(OFTEN, SELDOM));
    let pause = if settings.retain_last.is_some() { pause.min(Duration::from_secs(60)) } else { pause };
    loop {
        prune(&shared).await;
        sleep(pause).await;
    }
}

async fn prune(shared: &Inner) {
    let settings = &shared.settings;
    let retention = Retention { older_than: settings.retain_for, newest: settings.retain_last };
    loop {
        let pruned = match shared.store.prune(retention.clone()).await {
            Ok(pruned) => pruned,
            Err(error) => return tracing::error!("could not remove old runs: {}", OneLine(&error)),
        };
        for run in pruned.runs {
            // If the program ends before this, the next start removes the files.
            remove(run, &shared.files.join(run.to_string())).await;
            remove(run, &shared.uploads.folder_of(run)).await;
        }
        if !pruned.more {
            return;
        }
        sleep(PAUSE).await;
    }
}

async fn remove(run: RunId, folder: &Path) {
    match tokio::fs::remove_dir_all(folder).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            tracing::error!(%run, "could not remove the files of a run: {}", OneLine(&error));
        }
        _ => {}
    }
}

/// Removes files whose run is not in the store, because the program was killed in between.
async fn clear_up(shared: &Inner) {
    // A damaged index hides runs, so files without a visible run must stay.
    if let Err(error) = shared.store.ready().await {
        return tracing::error!("leftover files are not removed: {}", OneLine(&error));
    }
    let given = shared.uploads.found().to_vec();
    for (run, folder) in given.into_iter().chain(folders_in(&shared.files)) {
        if matches!(shared.store.run(run).await, Ok(None)) {
            tracing::info!(%run, "removing the leftover files of a run that was not stored");
            remove(run, &folder).await;
        }
    }
}

/// The folders of runs that exist now. None of them can be missing from the store because it is new: a run is stored
/// before its body creates a file.
fn folders_in(folder: &Path) -> Vec<(RunId, PathBuf)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let named = entries.filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())));
    named.collect()
}
