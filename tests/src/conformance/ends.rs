//! Ends and releases of runs.

use std::time::Duration;

use process_runtime::run::Failure;
use process_runtime::store::{Batch, ClaimId, Control, Lease, LogFilter, Release, StoreError};
use process_runtime::{
    RunStatus,
    run::{Outcome, ProgressState, RunFile, SavedCursor},
};
use serde_json::json;

use super::{
    LONG, Nodes, SHORT, batch_of, claimable, claimed, held, lines, run_of, started, stored, taken_over,
    wanted,
};

fn cursor() -> Option<SavedCursor> {
    Some(SavedCursor::new(json!({ "at": [1, null] })))
}

pub async fn each_outcome_sets_its_status(Nodes { here, there }: Nodes) {
    let result = json!({ "total": 3, "list": [1.5, "x", null] });
    for (outcome, status) in [
        (Outcome::Succeeded(result.clone()), RunStatus::Succeeded),
        (Outcome::Failed(Failure::from("it <b>broke</b>").caused_by(["a: b", "c"])), RunStatus::Failed),
        (Outcome::Cancelled, RunStatus::Cancelled),
        (Outcome::Interrupted("gone".into()), RunStatus::Interrupted),
    ] {
        let claim = held(&*here, "count").await;
        let run = here.finish(claim.lease, Batch::default(), outcome.clone()).await.unwrap();
        assert_eq!(run.status, status);
        let succeeded = status == RunStatus::Succeeded;
        assert_eq!(run.result, succeeded.then(|| result.clone()));
        let error = match outcome {
            Outcome::Failed(failure) => {
                assert_eq!(run.causes, ["a: b", "c"]);
                Some(failure.message)
            }
            Outcome::Interrupted(error) => Some(error),
            _ => None,
        };
        assert_eq!(run.error, error);
        assert!(run.finished_at.is_some_and(|at| Some(at) >= run.started_at), "{run:?}");
        assert_eq!((run.attempt, run.started_at), (1, claim.run.started_at));
        assert_eq!(stored(&*there, run.id).await, run);
    }
}

pub async fn success_clears_cursor_failure_keeps_it(Nodes { here, .. }: Nodes) {
    for (outcome, kept) in [(Outcome::Succeeded(json!(1)), None), (Outcome::Failed("no".into()), cursor())] {
        let claim = held(&*here, "count").await;
        here.append(claim.lease, Batch::default().cursor(cursor())).await.unwrap();
        assert_eq!(stored(&*here, claim.run.id).await.bookkeeping.cursor, cursor());
        let run = here.finish(claim.lease, Batch::default(), outcome).await.unwrap();
        assert_eq!(run.bookkeeping.cursor, kept);
    }
}

pub async fn last_batch_is_stored_with_end(Nodes { here, there }: Nodes) {
    let claim = held(&*here, "count").await;
    // It left out steps, so its percentage stays.
    let progress = ProgressState {
        percent: Some(99.5),
        current: Some(199),
        total: Some(200),
        text: "done".into(),
        ..ProgressState::default()
    };
    let file = RunFile { name: "a".into(), size: 3, media_type: "text/plain".into(), stored: "0".into() };
    let batch = batch_of(lines("last", [1, 2]))
        .progress(progress.clone())
        .files(vec![file.clone()])
        .elapsed_ms(1_234);
    let run = here.finish(claim.lease, batch, Outcome::Succeeded(json!(null))).await.unwrap();
    assert_eq!((&run.progress, &run.files[..], run.elapsed_ms), (&progress, &[file][..], 1_234));
    assert_eq!(stored(&*there, run.id).await, run);
    assert_eq!(there.log(run.id, LogFilter::after(0, 10)).await.unwrap(), lines("last", [1, 2]));
}

pub async fn success_without_steps_left_has_100_percent(Nodes { here, there }: Nodes) {
    for (current, total) in [(None, None), (Some(3), None), (Some(200), Some(200))] {
        let claim = held(&*here, "count").await;
        let progress = ProgressState { percent: Some(99.5), current, total, ..ProgressState::default() };
        let batch = Batch::default().progress(progress);
        let run = here.finish(claim.lease, batch, Outcome::Succeeded(json!(null))).await.unwrap();
        assert_eq!(run.progress.percent, Some(100.0), "{current:?} of {total:?}");
        assert_eq!(stored(&*there, run.id).await, run);
    }
}

pub async fn run_ends_only_once(Nodes { here, there }: Nodes) {
    let claim = held(&*here, "count").await;
    let ends = (0..8).map(|n| {
        let store = if n % 2 == 0 { here.clone() } else { there.clone() };
        let outcome = if n % 3 == 0 { Outcome::Cancelled } else { Outcome::Failed(n.to_string().into()) };
        tokio::spawn(async move { store.finish(claim.lease, Batch::default(), outcome).await })
    });
    let answers = futures_util::future::join_all(ends).await;
    let (ended, refused): (Vec<_>, Vec<_>) = answers.into_iter().map(Result::unwrap).partition(Result::is_ok);
    assert!(refused.iter().all(|answer| *answer == Err(StoreError::Fenced)), "{refused:?}");
    let run = stored(&*here, claim.run.id).await;
    // A request for the outcome that it has already succeeds.
    let same = if run.status == RunStatus::Cancelled { 3 } else { 1 };
    assert!(ended.len() == same && ended.iter().all(|answer| answer.as_ref() == Ok(&run)), "{ended:?}");
    let forced = there.control(run.id, Control::ForceCancel).await.unwrap();
    assert_eq!(forced.as_ref(), Some(&run));
    // The other way round: the holder of a run that was forced to its end cannot end it again.
    let claim = held(&*here, "count").await;
    let forced = there.control(claim.run.id, Control::ForceCancel).await.unwrap().unwrap();
    assert_eq!(forced.status, RunStatus::Cancelled);
    let late = here.finish(claim.lease, Batch::default(), Outcome::Succeeded(json!(1))).await;
    assert_eq!(late, Err(StoreError::Fenced));
    assert_eq!(stored(&*here, claim.run.id).await, forced);
}

pub async fn repeated_end_gets_same_answer(Nodes { here, there }: Nodes) {
    let outcomes = [
        Outcome::Succeeded(json!({ "total": 3 })),
        Outcome::Succeeded(json!(null)),
        Outcome::Failed("no".into()),
        Outcome::Interrupted("gone".into()),
        Outcome::Cancelled,
    ];
    for outcome in outcomes {
        let claim = held(&*here, "count").await;
        let batch = || batch_of(lines("last", [1]));
        let run = here.finish(claim.lease, batch(), outcome.clone()).await.unwrap();
        assert_eq!(there.finish(claim.lease, batch(), outcome.clone()).await.as_ref(), Ok(&run));
        // Another end, or another holder, is refused.
        let other = Outcome::Failed("another".into());
        assert_eq!(there.finish(claim.lease, batch(), other).await, Err(StoreError::Fenced));
        let stranger = Lease::new(claim.lease.run, claim.lease.epoch, ClaimId::new());
        assert_eq!(there.finish(stranger, batch(), outcome).await, Err(StoreError::Fenced));
        assert_eq!(stored(&*here, run.id).await, run);
        assert_eq!(there.log_tail(run.id, 10).await.unwrap(), lines("last", [1]));
    }
}

pub async fn repeated_release_gets_same_answer(Nodes { here, there }: Nodes) {
    for to in [Release::Queued, Release::Paused, Release::Retry(Duration::from_secs(3_600))] {
        let claim = held(&*here, "count").await;
        let run = here.release(claim.lease, Batch::default(), to).await.unwrap();
        assert_eq!(there.release(claim.lease, Batch::default(), to).await.as_ref(), Ok(&run));
        assert_eq!(stored(&*here, run.id).await, run, "a failure is counted once");
        // Later changes are visible.
        let cancelled = here.control(run.id, Control::Cancel).await.unwrap();
        assert_eq!(there.release(claim.lease, Batch::default(), to).await.ok(), cancelled);
    }
    let claim = held(&*here, "count").await;
    here.release(claim.lease, Batch::default(), Release::Queued).await.unwrap();
    let next = claimed(&*there, "count").await;
    assert_eq!(here.release(claim.lease, Batch::default(), Release::Queued).await, Err(StoreError::Fenced));
    there.append(next.lease, Batch::default()).await.unwrap();
}

pub async fn ended_run_is_never_claimed(Nodes { here, there }: Nodes) {
    started(&*here, run_of("count")).await;
    let shortly = wanted([claimable("count")]).lease(SHORT);
    let claim = here.claim(shortly).await.unwrap().unwrap();
    here.finish(claim.lease, Batch::default(), Outcome::Failed("no".into())).await.unwrap();
    tokio::time::sleep(SHORT * 2).await;
    assert_eq!(there.claim(wanted([claimable("count")])).await.unwrap(), None);
    for control in [Control::Resume, Control::Pause, Control::Cancel] {
        let _refused = there.control(claim.run.id, control).await;
    }
    assert_eq!(there.claim(wanted([claimable("count")])).await.unwrap(), None);
}

pub async fn released_run_precedes_younger_ones(Nodes { here, there }: Nodes) {
    let claim = held(&*here, "count").await;
    started(&*here, run_of("count")).await;
    let batch = batch_of(lines("line", [1])).cursor(cursor());
    let run = here.release(claim.lease, batch, Release::Queued).await.unwrap();
    assert_eq!((run.status, run.due_at, run.attempt), (RunStatus::Queued, None, 1));
    assert_eq!((&run.bookkeeping.cursor, run.bookkeeping.failures), (&cursor(), 0));
    assert_eq!(stored(&*there, run.id).await, run);
    assert_eq!(there.log_tail(run.id, 10).await.unwrap(), lines("line", [1]));
    assert_eq!(claimed(&*there, "count").await.run.id, run.id);
}

pub async fn retry_counts_failure_and_waits(Nodes { here, there }: Nodes) {
    let claim = held(&*here, "count").await;
    let (hour, before) = (Duration::from_secs(3_600), jiff::Timestamp::now());
    let run = here.release(claim.lease, Batch::default(), Release::Retry(hour)).await.unwrap();
    assert_eq!((run.status, run.bookkeeping.failures), (RunStatus::Queued, 1));
    // By the store's clock, which may differ a little.
    let wait = run.due_at.unwrap().duration_since(before).as_secs();
    assert!((3_595..=3_660).contains(&wait), "{wait} s");
    assert_eq!(stored(&*there, run.id).await, run);
    assert_eq!(there.claim(wanted([claimable("count")])).await.unwrap(), None);
    // A run that is due can be claimed immediately.
    let claim = held(&*here, "other").await;
    here.release(claim.lease, Batch::default(), Release::Retry(Duration::ZERO)).await.unwrap();
    let again = claimed(&*there, "other").await;
    assert_eq!((again.run.due_at, again.run.attempt, again.run.bookkeeping.failures), (None, 2, 1));
}

pub async fn paused_release_waits_for_resume(Nodes { here, there }: Nodes) {
    let claim = held(&*here, "count").await;
    let run = here.release(claim.lease, Batch::default(), Release::Paused).await.unwrap();
    assert_eq!((run.status, run.pausing), (RunStatus::Paused, false));
    assert_eq!(there.claim(wanted([claimable("count")])).await.unwrap(), None);
    let run = there.control(run.id, Control::Resume).await.unwrap().unwrap();
    assert_eq!(run.status, RunStatus::Queued);
    assert_eq!(claimed(&*there, "count").await.run.id, run.id);
}

pub async fn release_applies_pending_control(Nodes { here, .. }: Nodes) {
    for to in [Release::Queued, Release::Retry(Duration::ZERO), Release::Paused] {
        let claim = held(&*here, "count").await;
        here.control(claim.run.id, Control::Cancel).await.unwrap();
        let run = here.release(claim.lease, batch_of(lines("line", [1])), to).await.unwrap();
        assert_eq!(run.status, RunStatus::Cancelled);
        assert!(run.finished_at.is_some() && run.due_at.is_none(), "{run:?}");
        assert_eq!(here.log_tail(run.id, 10).await.unwrap(), lines("line", [1]));
        let claim = held(&*here, "count").await;
        here.control(claim.run.id, Control::Pause).await.unwrap();
        let run = here.release(claim.lease, Batch::default(), to).await.unwrap();
        assert_eq!((run.status, run.pausing), (RunStatus::Paused, false));
        assert_eq!(stored(&*here, run.id).await, run);
        // The control request was carried out, and is not pending any more.
        here.control(run.id, Control::Resume).await.unwrap();
        let again = claimed(&*here, "count").await;
        let heard = here.heartbeat(again.lease, LONG).await;
        assert_eq!(heard, Ok(process_runtime::store::Heartbeat::Held));
        here.finish(again.lease, Batch::default(), Outcome::Cancelled).await.unwrap();
    }
}

pub async fn released_run_has_no_holder(Nodes { here, .. }: Nodes) {
    for to in [Release::Queued, Release::Paused] {
        let claim = held(&*here, "count").await;
        here.release(claim.lease, Batch::default(), to).await.unwrap();
        let late = here.finish(claim.lease, Batch::default(), Outcome::Cancelled).await;
        assert_eq!(late, Err(StoreError::Fenced));
        here.control(claim.run.id, Control::Cancel).await.unwrap();
    }
}

pub async fn release_resets_crash_count(Nodes { here, .. }: Nodes) {
    started(&*here, run_of("count")).await;
    let resumable = || claimable("count").resumable(true);
    here.claim(wanted([resumable()]).lease(SHORT)).await.unwrap().unwrap();
    let second = taken_over(&*here, wanted([resumable()])).await;
    assert_eq!(second.run.bookkeeping.crashes, 1);
    let run = here.release(second.lease, Batch::default(), Release::Queued).await.unwrap();
    assert_eq!(run.bookkeeping.crashes, 0);
}
