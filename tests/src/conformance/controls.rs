//! Control requests: their effect on a run in each state.

use std::time::Duration;

use process_runtime::store::{
    Batch, Claim, Control, ControlRefused, Heartbeat, Lease, Release, Store, StoreError,
};
use process_runtime::{Run, RunId, RunStatus, run::Outcome};
use serde_json::json;

use super::{LONG, Nodes, claimable, claimed, held, run_of, started, stored, wanted};

const ALL: [Control; 4] = [Control::Cancel, Control::ForceCancel, Control::Pause, Control::Resume];

async fn asked(store: &dyn Store, id: RunId, control: Control) -> Run {
    store.control(id, control).await.unwrap().expect("the run is known")
}

async fn paused(store: &dyn Store) -> Run {
    let run = started(store, run_of("count")).await;
    asked(store, run.id, Control::Pause).await
}

pub async fn unknown_run_cannot_be_controlled(Nodes { here, .. }: Nodes) {
    for control in ALL {
        assert_eq!(here.control(RunId::new(), control).await, Ok(None));
    }
}

pub async fn queued_run_is_cancelled_immediately(Nodes { here, there }: Nodes) {
    for control in [Control::Cancel, Control::ForceCancel] {
        let queued = started(&*here, run_of("count")).await;
        let paused = paused(&*here).await;
        for run in [queued, paused] {
            let run = asked(&*there, run.id, control).await;
            assert_eq!((run.status, run.attempt), (RunStatus::Cancelled, 0));
            assert!(run.finished_at.is_some_and(|at| at >= run.created_at), "{run:?}");
            assert_eq!(stored(&*here, run.id).await, run);
        }
    }
    assert_eq!(here.claim(wanted([claimable("count")])).await.unwrap(), None);
}

pub async fn held_run_is_cancelled_by_holder(Nodes { here, there }: Nodes) {
    let claim = held(&*here, "count").await;
    let run = asked(&*there, claim.run.id, Control::Cancel).await;
    assert_eq!((run.status, run.finished_at), (RunStatus::Cancelling, None));
    assert_eq!(stored(&*here, run.id).await, run);
    assert_eq!(here.heartbeat(claim.lease, LONG).await, Ok(Heartbeat::Requested(Control::Cancel)));
    // Until its end, it belongs to its holder, which may end it differently.
    here.append(claim.lease, Batch::default()).await.unwrap();
    let run = here.finish(claim.lease, Batch::default(), Outcome::Succeeded(json!(1))).await.unwrap();
    assert_eq!(run.status, RunStatus::Succeeded);
    assert_eq!(here.heartbeat(claim.lease, LONG).await, Ok(Heartbeat::Lost));
}

pub async fn force_stop_ends_held_run(Nodes { here, there }: Nodes) {
    for first in [None, Some(Control::Cancel), Some(Control::Pause)] {
        let claim = held(&*here, "count").await;
        if let Some(first) = first {
            asked(&*here, claim.run.id, first).await;
        }
        let run = asked(&*there, claim.run.id, Control::ForceCancel).await;
        assert_eq!((run.status, run.pausing), (RunStatus::Cancelled, false));
        assert!(run.finished_at.is_some(), "{run:?}");
        assert_eq!(here.heartbeat(claim.lease, LONG).await, Ok(Heartbeat::Lost));
        assert_eq!(here.append(claim.lease, Batch::default()).await, Err(StoreError::Fenced));
        let forged = Lease::new(run.id, claim.lease.epoch + 1, claim.lease.claim);
        assert_eq!(here.release(forged, Batch::default(), Release::Queued).await, Err(StoreError::Fenced));
        assert_eq!(stored(&*there, run.id).await, run);
    }
    assert_eq!(here.claim(wanted([claimable("count")])).await.unwrap(), None);
}

pub async fn queued_run_pauses_and_resumes_immediately(Nodes { here, there }: Nodes) {
    let run = paused(&*here).await;
    assert_eq!((run.status, run.pausing, run.finished_at), (RunStatus::Paused, false, None));
    assert_eq!(stored(&*there, run.id).await, run);
    assert_eq!(there.claim(wanted([claimable("count")])).await.unwrap(), None);
    let run = asked(&*there, run.id, Control::Resume).await;
    assert_eq!(run.status, RunStatus::Queued);
    assert_eq!(claimed(&*here, "count").await.run.id, run.id);
}

pub async fn held_run_is_paused_by_holder(Nodes { here, there }: Nodes) {
    let claim = held(&*here, "count").await;
    let run = asked(&*there, claim.run.id, Control::Pause).await;
    assert_eq!((run.status, run.pausing), (RunStatus::Running, true));
    assert_eq!(here.heartbeat(claim.lease, LONG).await, Ok(Heartbeat::Requested(Control::Pause)));
    let run = here.release(claim.lease, Batch::default(), Release::Paused).await.unwrap();
    assert_eq!((run.status, run.pausing), (RunStatus::Paused, false));
    // A run that ended before it could pause has ended.
    let claim = held(&*here, "count").await;
    asked(&*there, claim.run.id, Control::Pause).await;
    let run = here.finish(claim.lease, Batch::default(), Outcome::Failed("no".into())).await.unwrap();
    assert_eq!((run.status, run.pausing), (RunStatus::Failed, false));
}

pub async fn withdrawn_pause_is_not_requested(Nodes { here, there }: Nodes) {
    let claim = held(&*here, "count").await;
    asked(&*there, claim.run.id, Control::Pause).await;
    let run = asked(&*there, claim.run.id, Control::Resume).await;
    assert_eq!((run.status, run.pausing), (RunStatus::Running, false));
    assert_eq!(here.heartbeat(claim.lease, LONG).await, Ok(Heartbeat::Held));
    let run = here.release(claim.lease, Batch::default(), Release::Queued).await.unwrap();
    assert_eq!(run.status, RunStatus::Queued);
}

pub async fn cancel_precedes_pause(Nodes { here, there }: Nodes) {
    let claim = held(&*here, "count").await;
    asked(&*there, claim.run.id, Control::Pause).await;
    let run = asked(&*there, claim.run.id, Control::Cancel).await;
    assert_eq!((run.status, run.pausing), (RunStatus::Cancelling, false));
    for control in [Control::Pause, Control::Resume] {
        let refused = there.control(claim.run.id, control).await;
        assert_eq!(refused, Err(StoreError::Refused(ControlRefused::Cancelling)));
    }
    assert_eq!(stored(&*there, run.id).await, run);
    assert_eq!(here.heartbeat(claim.lease, LONG).await, Ok(Heartbeat::Requested(Control::Cancel)));
}

pub async fn resume_makes_retry_due(Nodes { here, .. }: Nodes) {
    let claim = held(&*here, "count").await;
    let hour = Duration::from_secs(3_600);
    here.release(claim.lease, Batch::default(), Release::Retry(hour)).await.unwrap();
    let run = asked(&*here, claim.run.id, Control::Pause).await;
    assert_eq!(run.status, RunStatus::Paused);
    let run = asked(&*here, claim.run.id, Control::Resume).await;
    assert_eq!((run.status, run.due_at), (RunStatus::Queued, None));
    assert_eq!(claimed(&*here, "count").await.run.id, run.id);
}

pub async fn running_run_without_cursor_cannot_pause(Nodes { here, there }: Nodes) {
    let run = started(&*here, run_of("count")).await;
    // Whether it can pause changes with its claim, so the store decides.
    assert_eq!(asked(&*there, run.id, Control::Pause).await.status, RunStatus::Paused);
    asked(&*there, run.id, Control::Resume).await;
    let claim = claimed(&*here, "count").await;
    let refused = there.control(run.id, Control::Pause).await;
    assert_eq!(refused, Err(StoreError::Refused(ControlRefused::NoCursor)));
    assert_eq!(stored(&*there, run.id).await, claim.run);
    assert_eq!(here.heartbeat(claim.lease, LONG).await, Ok(Heartbeat::Held));
}

pub async fn invalid_control_changes_nothing(Nodes { here, there }: Nodes) {
    let queued = started(&*here, run_of("other")).await;
    let paused = paused(&*here).await;
    let Claim { run: running, .. } = held(&*here, "running").await;
    let pausing = held(&*here, "pausing").await.run;
    let pausing = asked(&*here, pausing.id, Control::Pause).await;
    let cancelling = held(&*here, "cancelling").await.run;
    let cancelling = asked(&*here, cancelling.id, Control::Cancel).await;
    use ControlRefused::{Cancelling, Ended, NotPaused, Queued};
    let mut all = vec![
        (queued, vec![(Control::Resume, Some(Queued))]),
        (paused, vec![(Control::Pause, None)]),
        (running, vec![(Control::Resume, Some(NotPaused))]),
        (pausing, vec![(Control::Pause, None)]),
        (
            cancelling,
            vec![
                (Control::Cancel, None),
                (Control::Pause, Some(Cancelling)),
                (Control::Resume, Some(Cancelling)),
            ],
        ),
    ];
    for outcome in [Outcome::Succeeded(json!(1)), Outcome::Failed("no".into()), Outcome::Cancelled] {
        let claim = held(&*here, "count").await;
        let ended = here.finish(claim.lease, Batch::default(), outcome).await.unwrap();
        let refused = |control| matches!(control, Control::Pause | Control::Resume).then_some(Ended);
        all.push((ended, ALL.map(|control| (control, refused(control))).to_vec()));
    }
    for (run, controls) in all {
        for (control, refused) in controls {
            let expected = refused.map_or(Ok(Some(run.clone())), |refused| Err(StoreError::Refused(refused)));
            assert_eq!(there.control(run.id, control).await, expected, "{control:?}");
            assert_eq!(stored(&*here, run.id).await, run, "{control:?}");
        }
    }
}
