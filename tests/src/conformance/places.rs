//! Concurrency: how many runs of a process, or of a key, are held at a time.

use std::sync::Arc;

use futures_util::future::join_all;
use process_runtime::store::{Batch, ClaimTarget, Release, Store};
use process_runtime::{Run, run::Outcome};
use serde_json::json;

use super::{Nodes, claimable, run_of, started, wanted};

fn places(process: &str, concurrency: usize) -> ClaimTarget {
    claimable(process).concurrency(concurrency)
}

fn keyed(process: &str, key: &str) -> Run {
    let mut run = run_of(process);
    run.bookkeeping.concurrency_key = Some(key.into());
    run
}

async fn is_full(store: &dyn Store, process: &str, concurrency: usize) -> bool {
    store.claim(wanted([places(process, concurrency)])).await.unwrap().is_none()
}

pub async fn process_concurrency_limit_holds(Nodes { here, there }: Nodes) {
    for _ in 0..4 {
        started(&*here, run_of("count")).await;
        started(&*here, run_of("other")).await;
    }
    assert!(is_full(&*here, "count", 0).await);
    assert!(!is_full(&*here, "count", 2).await);
    assert!(!is_full(&*there, "count", 2).await);
    assert!(is_full(&*here, "count", 2).await);
    assert!(is_full(&*there, "count", 1).await);
    // Another process has its own limit.
    assert!(!is_full(&*there, "other", 1).await);
    assert!(!is_full(&*there, "count", 3).await);
}

pub async fn end_or_release_frees_a_slot(Nodes { here, there }: Nodes) {
    for _ in 0..3 {
        started(&*here, run_of("count")).await;
    }
    let claim = async || there.claim(wanted([places("count", 1)])).await.unwrap();
    let first = claim().await.unwrap();
    assert_eq!(claim().await, None);
    here.finish(first.lease, Batch::default(), Outcome::Succeeded(json!(null))).await.unwrap();
    let second = claim().await.unwrap();
    assert_eq!(claim().await, None);
    here.release(second.lease, Batch::default(), Release::Paused).await.unwrap();
    assert!(claim().await.is_some());
    assert_eq!(claim().await, None);
}

pub async fn concurrency_keys_have_separate_limits(Nodes { here, .. }: Nodes) {
    for key in ["a", "a", "b", "", "it's \"%\""] {
        started(&*here, keyed("count", key)).await;
    }
    started(&*here, run_of("count")).await;
    started(&*here, run_of("count")).await;
    let mut got = Vec::new();
    while let Some(claim) = here.claim(wanted([places("count", 1)])).await.unwrap() {
        got.push(claim.run.concurrency_key().map(str::to_owned));
    }
    let of = |key: &str| Some(key.to_owned());
    assert_eq!(got, [of("a"), of("b"), of(""), of("it's \"%\""), None]);
}

pub async fn blocked_run_does_not_block_others(Nodes { here, .. }: Nodes) {
    started(&*here, keyed("count", "a")).await;
    let mut first = keyed("count", "a");
    first.priority = 9;
    let blocked = started(&*here, first).await;
    let free = started(&*here, keyed("count", "b")).await;
    let other = started(&*here, run_of("other")).await;
    let want = || wanted([places("count", 1), places("other", 1)]);
    let ids = [(); 3].map(|()| here.claim(want()));
    let mut got = Vec::new();
    for claim in ids {
        got.push(claim.await.unwrap().unwrap().run.id);
    }
    assert_eq!(got, [blocked.id, free.id, other.id]);
    assert_eq!(here.claim(want()).await.unwrap(), None);
}

pub async fn concurrency_limit_holds_among_claimers(Nodes { here, there }: Nodes) {
    for n in 0..40 {
        started(&*here, keyed("count", if n % 2 == 0 { "a" } else { "b" })).await;
    }
    let barrier = Arc::new(tokio::sync::Barrier::new(12));
    let claims = (0..12).map(|n| {
        let store = if n % 2 == 0 { here.clone() } else { there.clone() };
        let barrier = Arc::clone(&barrier);
        tokio::spawn(async move {
            barrier.wait().await;
            let mut got = Vec::new();
            for _ in 0..3 {
                got.extend(store.claim(wanted([places("count", 3)])).await.unwrap());
            }
            got
        })
    });
    let got: Vec<_> = join_all(claims).await.into_iter().flat_map(Result::unwrap).collect();
    for key in ["a", "b"] {
        let held = got.iter().filter(|claim| claim.run.concurrency_key() == Some(key));
        assert_eq!(held.count(), 3, "{key}");
    }
}
