//! Starts.

use std::collections::HashSet;

use futures_util::future::join_all;
use process_runtime::__private::Bookkeeping;
use process_runtime::store::{Batch, Control, RunFilter, StartOptions, StartOutcome, StoreError};
use process_runtime::{RunId, run::Outcome};
use serde_json::json;

use super::{Nodes, claimed, run_of, started, stored, with_key};

pub async fn started_run_is_stored_as_given(Nodes { here, there }: Nodes) {
    let mut run = run_of("admin/count");
    run.priority = -3;
    run.actor = Some("ada <b>".into());
    run.retry_of = Some(RunId::new());
    run.input = json!({ "text": "a\u{0}b'\"\u{2028}", "float": 0.1, "none": null, "list": [1, u64::MAX] })
        .as_object()
        .cloned()
        .unwrap();
    run.bookkeeping = Bookkeeping {
        resumable: Some(true),
        concurrency_key: Some("tenant".into()),
        ..Bookkeeping::default()
    };
    let answer = here.start(run.clone(), StartOptions::default()).await.unwrap();
    run.number = 1;
    assert_eq!(answer, StartOutcome::new(run.clone(), false));
    assert_eq!(there.run(run.id).await.unwrap(), Some(run.clone()));
    let all = there.runs(RunFilter::default().limit(10)).await.unwrap();
    assert_eq!(all, [run.clone()]);
    assert_eq!(there.log_tail(run.id, 10).await.unwrap(), []);
}

pub async fn runs_are_numbered_per_process(Nodes { here, there }: Nodes) {
    for number in 1..=3 {
        assert_eq!(started(&*here, run_of("a")).await.number, number);
        assert_eq!(started(&*there, run_of("a/b")).await.number, number);
    }
    let first = here.start(run_of("c"), with_key("key")).await.unwrap().run;
    let again = here.start(run_of("c"), with_key("key")).await.unwrap().run;
    assert_eq!((first.number, again.number), (1, 1));
    // A start that is refused uses no number.
    let full = StartOptions::default().max_queued(0);
    assert!(here.start(run_of("c"), full).await.is_err());
    assert_eq!(started(&*here, run_of("c")).await.number, 2);
    assert_eq!(stored(&*there, first.id).await.number, 1);
}

pub async fn parallel_starts_share_no_number(Nodes { here, there }: Nodes) {
    let start = |n: usize| {
        let store = if n.is_multiple_of(2) { &here } else { &there };
        store.start(run_of("count"), StartOptions::default())
    };
    let started = join_all((0..100).map(start)).await;
    let numbers: HashSet<u64> = started.into_iter().map(|started| started.unwrap().run.number).collect();
    assert_eq!(numbers, (1..=100).collect());
}

pub async fn unknown_run_is_not_found(Nodes { here, .. }: Nodes) {
    started(&*here, run_of("count")).await;
    assert_eq!(here.run(RunId::new()).await.unwrap(), None);
    assert_eq!(here.log_tail(RunId::new(), 10).await.unwrap(), []);
}

pub async fn same_idempotency_key_gives_first_run(Nodes { here, there }: Nodes) {
    let first = here.start(run_of("count"), with_key("once")).await.unwrap();
    assert!(!first.existing);
    let again = there.start(run_of("count"), with_key("once")).await.unwrap();
    assert_eq!(again, StartOutcome::new(first.run.clone(), true));
    let other = here.start(run_of("count"), with_key("twice")).await.unwrap();
    assert!(!other.existing);
    // The run is returned in its current state.
    let claim = claimed(&*there, "count").await;
    assert_eq!(claim.run.id, first.run.id);
    let running = here.start(run_of("count"), with_key("once")).await.unwrap();
    assert_eq!(running, StartOutcome::new(claim.run, true));
}

pub async fn idempotency_key_outlives_its_run(Nodes { here, there }: Nodes) {
    let first = here.start(run_of("count"), with_key("once")).await.unwrap().run;
    let claim = claimed(&*here, "count").await;
    let ended = here.finish(claim.lease, Batch::default(), Outcome::Succeeded(json!(1))).await.unwrap();
    let again = there.start(run_of("count"), with_key("once")).await.unwrap();
    assert_eq!((again.run.id, again.existing), (first.id, true));
    assert_eq!(again.run, ended);
}

pub async fn idempotency_key_belongs_to_process(Nodes { here, .. }: Nodes) {
    let one = here.start(run_of("one"), with_key("key")).await.unwrap();
    let two = here.start(run_of("two"), with_key("key")).await.unwrap();
    assert!(!one.existing && !two.existing);
    assert_ne!(one.run.id, two.run.id);
    let without = here.start(run_of("one"), StartOptions::default()).await.unwrap();
    assert!(!without.existing);
}

pub async fn thousand_identical_starts_make_one_run(Nodes { here, there }: Nodes) {
    let starts = (0..1_000).map(|n| {
        let store = if n % 2 == 0 { here.clone() } else { there.clone() };
        tokio::spawn(async move { store.start(run_of("count"), with_key("double click")).await })
    });
    let answers: Vec<_> = join_all(starts).await.into_iter().map(|answer| answer.unwrap().unwrap()).collect();
    let ids: HashSet<_> = answers.iter().map(|answer| answer.run.id).collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(answers.iter().filter(|answer| !answer.existing).count(), 1);
    let all = here.runs(RunFilter::default().limit(10)).await.unwrap();
    assert_eq!(all.len(), 1);
}

pub async fn exclusive_start_gives_active_run(Nodes { here, there }: Nodes) {
    let exclusive = || StartOptions::default().exclusive(true);
    started(&*here, run_of("other")).await;
    let first = here.start(run_of("import"), exclusive()).await.unwrap();
    assert!(!first.existing);
    let id = first.run.id;
    let stands = async || {
        let answer = there.start(run_of("import"), exclusive()).await.unwrap();
        assert_eq!((answer.run.id, answer.existing), (id, true));
        assert_eq!(answer.run, stored(&*here, id).await);
    };
    stands().await;
    here.control(id, Control::Pause).await.unwrap();
    stands().await;
    here.control(id, Control::Resume).await.unwrap();
    claimed(&*here, "import").await;
    stands().await;
    here.control(id, Control::Cancel).await.unwrap();
    stands().await;
    // Only for starts that request it.
    let second = here.start(run_of("import"), StartOptions::default()).await.unwrap();
    assert!(!second.existing);
    stands().await;
}

pub async fn ended_run_allows_exclusive_start(Nodes { here, .. }: Nodes) {
    let exclusive = || StartOptions::default().exclusive(true);
    let first = here.start(run_of("import"), exclusive()).await.unwrap().run;
    here.control(first.id, Control::Cancel).await.unwrap();
    let second = here.start(run_of("import"), exclusive()).await.unwrap();
    assert!(!second.existing);
    assert_ne!(second.run.id, first.id);
}

pub async fn full_queue_refuses_starts(Nodes { here, there }: Nodes) {
    let terms = || StartOptions::default().max_queued(2);
    here.start(run_of("one"), terms()).await.unwrap();
    let second = here.start(run_of("two"), terms()).await.unwrap().run;
    let refused = run_of("one");
    assert_eq!(there.start(refused.clone(), terms()).await, Err(StoreError::Full(2)));
    assert_eq!(here.run(refused.id).await.unwrap(), None);
    // A run that is held, that is paused or that has ended does not wait.
    claimed(&*here, "one").await;
    let third = there.start(run_of("one"), terms()).await.unwrap().run;
    assert_eq!(there.start(run_of("one"), terms()).await, Err(StoreError::Full(2)));
    here.control(second.id, Control::Pause).await.unwrap();
    here.start(run_of("one"), terms()).await.unwrap();
    assert_eq!(there.start(run_of("one"), terms()).await, Err(StoreError::Full(2)));
    here.control(third.id, Control::Cancel).await.unwrap();
    here.start(run_of("one"), terms()).await.unwrap();
    assert_eq!(here.start(run_of("one"), terms().max_queued(0)).await, Err(StoreError::Full(0)));
}

pub async fn processes_and_actors_have_own_queues(Nodes { here, there }: Nodes) {
    let terms = || StartOptions::default().max_queued_per_process(2).max_queued_per_actor(3);
    let by = |process: &str, actor: &str| {
        let mut run = run_of(process);
        run.actor = Some(actor.into());
        run
    };
    let first = here.start(by("one", "ada"), terms()).await.unwrap().run;
    there.start(by("one", "ada"), terms()).await.unwrap();
    let refused = by("one", "bob");
    assert_eq!(here.start(refused.clone(), terms()).await, Err(StoreError::ProcessFull(2)));
    assert_eq!(there.run(refused.id).await.unwrap(), None);
    here.start(by("two", "ada"), terms()).await.unwrap();
    assert_eq!(there.start(by("two", "ada"), terms()).await, Err(StoreError::ActorFull(3)));
    // Others have their own limit, and actors without a name have none.
    there.start(by("two", "bob"), terms()).await.unwrap();
    here.start(run_of("three"), terms()).await.unwrap();
    // A run that leaves the queue frees capacity, and a repeated start returns the existing run.
    here.control(first.id, Control::Cancel).await.unwrap();
    let keyed = || terms().idempotency_key("key".to_owned());
    let last = there.start(by("one", "ada"), keyed()).await.unwrap().run;
    assert_eq!(here.start(by("one", "ada"), keyed()).await.unwrap().run.id, last.id);
    // All of them together come first.
    let all = terms().max_queued(5);
    assert_eq!(here.start(by("one", "ada"), all).await, Err(StoreError::Full(5)));
}

pub async fn full_queue_still_gives_existing_run(Nodes { here, .. }: Nodes) {
    let first = here.start(run_of("one"), with_key("key")).await.unwrap().run;
    let again = with_key("key").max_queued(1);
    assert_eq!(here.start(run_of("one"), again).await.unwrap().run.id, first.id);
    let exclusive = StartOptions::default().exclusive(true).max_queued(1);
    assert_eq!(here.start(run_of("one"), exclusive).await.unwrap().run.id, first.id);
}
