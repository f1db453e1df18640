//! Retention: removes ended runs that are older than the settings keep, and files that belong to no run.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::Inner;
use crate::run::RunId;
use crate::store::Retention;
use crate::text::OneLine;

/// Between two steps others have their turn.
const PAUSE: Duration = Duration::from_millis(20);
/// How often old runs are looked for, at the least and at the most.
const OFTEN: Duration = Duration::from_secs(1);
const SELDOM: Duration = Duration::from_secs(10 * 60);

/// Clears up once, and then removes old runs as long as this node lives.
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
            Err(error) => return tracing::error!("old runs could not be removed: {}", OneLine(&error)),
        };
        for run in pruned.runs {
            // Should the program end before this, the next one clears up.
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
            tracing::error!(%run, "the files of a run could not be removed: {}", OneLine(&error));
        }
        _ => {}
    }
}

/// Removes files whose run is not in the store: the program was killed between the two.
async fn clear_up(shared: &Inner) {
    // A damaged index hides runs: their files may not be taken for nobody's.
    if let Err(error) = shared.store.ready().await {
        return tracing::error!("files that belong to no run are left where they are: {}", OneLine(&error));
    }
    let given = shared.uploads.found().to_vec();
    for (run, folder) in given.into_iter().chain(folders_in(&shared.files)) {
        if matches!(shared.store.run(run).await, Ok(None)) {
            tracing::info!(%run, "removing files that belong to no run");
            remove(run, &folder).await;
        }
    }
}

/// The folders of runs that are there now. None can be new to the store: a run is stored before its body
/// makes a file.
fn folders_in(folder: &Path) -> Vec<(RunId, PathBuf)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let named = entries.filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path())));
    named.collect()
}
