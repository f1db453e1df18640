//! Lists of runs.

use std::time::Duration;

use jiff::Timestamp;
use process_runtime::store::{Batch, Control, RunFilter, Store};
use process_runtime::{Run, RunId, RunStatus, run::Outcome};
use serde_json::json;

use super::{Nodes, held, run_of, started};

fn all() -> RunFilter {
    RunFilter::default().limit(1_000)
}

async fn listed(store: &dyn Store, filter: RunFilter) -> Vec<RunId> {
    store.runs(filter).await.unwrap().iter().map(|run| run.id).collect()
}

pub async fn newest_runs_come_first(Nodes { here, there }: Nodes) {
    assert_eq!(here.runs(all()).await.unwrap(), []);
    let mut expected = Vec::new();
    for n in 0..6 {
        expected.insert(0, started(&*here, run_of(["a", "b"][n % 2])).await);
        // Runs that were started at the very same moment may come in any order.
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(there.runs(all()).await.unwrap(), expected);
    // What becomes of them changes nothing about their order.
    here.control(expected[5].id, Control::Cancel).await.unwrap();
    held_and_released(&*here, "b").await;
    let ids: Vec<_> = expected.iter().map(|run| run.id).collect();
    assert_eq!(listed(&*there, all()).await, ids);
}

async fn held_and_released(store: &dyn Store, process: &str) {
    let claim = super::claimed(store, process).await;
    store.release(claim.lease, Batch::default(), process_runtime::store::Release::Queued).await.unwrap();
}

pub async fn runs_list_by_process_status_actor(Nodes { here, there }: Nodes) {
    let mut runs = Vec::new();
    for (process, actor) in
        [("a", Some("ada")), ("b", Some("ada")), ("a", None), ("a", Some("bob")), ("b", Some("a%"))]
    {
        let mut run = run_of(process);
        run.actor = actor.map(Into::into);
        runs.insert(0, started(&*here, run).await.id);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    // From the newest to the oldest.
    let [b_percent, a_bob, a_none, b_ada, a_ada] = runs[..] else { panic!("{runs:?}") };
    here.control(a_none, Control::Pause).await.unwrap();
    here.control(a_bob, Control::Cancel).await.unwrap();
    let filter = |process: Option<&str>, statuses: &[RunStatus], actor: Option<&str>| {
        all().process(process.map(Into::into)).statuses(statuses.to_vec()).actor(actor.map(Into::into))
    };
    use RunStatus::{Cancelled, Paused, Queued, Running};
    for (process, statuses, actor, expected) in [
        (None, &[][..], None, vec![b_percent, a_bob, a_none, b_ada, a_ada]),
        (Some("a"), &[][..], None, vec![a_bob, a_none, a_ada]),
        (Some("A"), &[][..], None, vec![]),
        (None, &[Queued][..], None, vec![b_percent, b_ada, a_ada]),
        (None, &[Paused, Cancelled][..], None, vec![a_bob, a_none]),
        (None, &[Cancelled, Queued, Paused, Queued][..], None, vec![b_percent, a_bob, a_none, b_ada, a_ada]),
        (None, &[Running][..], None, vec![]),
        (None, &RunStatus::ALL[..], None, vec![b_percent, a_bob, a_none, b_ada, a_ada]),
        (None, &[][..], Some("ada"), vec![b_ada, a_ada]),
        (None, &[][..], Some("a%"), vec![b_percent]),
        (None, &[][..], Some(""), vec![]),
        (Some("a"), &[Queued, Running][..], Some("ada"), vec![a_ada]),
        (Some("b"), &[Queued][..], None, vec![b_percent, b_ada]),
    ] {
        let found = listed(&*there, filter(process, statuses, actor)).await;
        assert_eq!(found, expected, "{process:?} {statuses:?} {actor:?}");
    }
    let but = |names: &[&str], statuses: &[RunStatus]| {
        filter(None, statuses, None).except(names.iter().map(|name| (*name).to_owned()).collect())
    };
    for (except, statuses, expected) in [
        (&["a"][..], &[][..], vec![b_percent, b_ada]),
        (&["a", "b"], &[], vec![]),
        (&["A", "none", "\"'%"], &[], vec![b_percent, a_bob, a_none, b_ada, a_ada]),
        (&["b"], &[Queued, Paused], vec![a_none, a_ada]),
    ] {
        assert_eq!(listed(&*there, but(except, statuses)).await, expected, "without {except:?} {statuses:?}");
    }
    // A run is found by the state it is in by then.
    let claim = held(&*here, "c").await;
    assert_eq!(listed(&*there, filter(None, &[Running], None)).await, [claim.run.id]);
    here.finish(claim.lease, Batch::default(), Outcome::Succeeded(json!(1))).await.unwrap();
    assert_eq!(listed(&*there, filter(None, &[Running], None)).await, []);
    assert_eq!(listed(&*there, filter(Some("c"), &[RunStatus::Succeeded], None)).await, [claim.run.id]);
}

pub async fn runs_list_by_start_time(Nodes { here, there }: Nodes) {
    let mut runs = Vec::new();
    for _ in 0..4 {
        runs.push(started(&*here, run_of("count")).await);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let between = |from: Option<Timestamp>, until: Option<Timestamp>| all().from(from).until(until);
    let at = |n: usize| Some(runs[n].created_at);
    let newest_first = |runs: &[Run]| runs.iter().rev().map(|run| run.id).collect::<Vec<_>>();
    for (from, until, expected) in [
        (at(1), None, &runs[1..]),
        (None, at(2), &runs[..2]),
        (at(1), at(3), &runs[1..3]),
        (at(2), at(2), &runs[..0]),
        (at(3), at(0), &runs[..0]),
        (Some(Timestamp::MIN), Some(Timestamp::MAX), &runs[..]),
        (Some(Timestamp::MAX), None, &runs[..0]),
        (None, Some(Timestamp::MIN), &runs[..0]),
        (None, Some(Timestamp::UNIX_EPOCH), &runs[..0]),
    ] {
        let found = listed(&*there, between(from, until)).await;
        assert_eq!(found, newest_first(expected), "{from:?} {until:?}");
    }
    let process = between(at(0), None).process("other".to_owned());
    assert_eq!(listed(&*there, process).await, []);
}

pub async fn run_list_is_paged(Nodes { here, there }: Nodes) {
    let mut expected = Vec::new();
    for _ in 0..7 {
        expected.insert(0, started(&*here, run_of("count")).await.id);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let page = |skip, limit| all().process("count".to_owned()).skip(skip).limit(limit);
    assert_eq!(listed(&*there, page(0, 3)).await, expected[..3]);
    assert_eq!(listed(&*there, page(3, 3)).await, expected[3..6]);
    assert_eq!(listed(&*there, page(6, 3)).await, expected[6..]);
    assert_eq!(listed(&*there, page(7, 3)).await, []);
    assert_eq!(listed(&*there, page(0, 0)).await, []);
    assert_eq!(listed(&*there, page(usize::MAX, usize::MAX)).await, []);
    assert_eq!(listed(&*there, page(1, usize::MAX)).await, expected[1..]);
}
