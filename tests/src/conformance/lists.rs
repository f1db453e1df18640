//! Lists of runs.

use std::time::Duration;

use jiff::Timestamp;
use process_runtime::store::{Batch, Control, Retention, RunFilter, RunOrder, RunPosition, Store};
use process_runtime::{
    Run, RunId, RunStatus,
    run::{Counts, FailedItem, Failure, Outcome},
};
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
        expected.insert(0, started(&*here, run_of("count")).await);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let ids: Vec<_> = expected.iter().map(|run| run.id).collect();
    let page = |after: Option<usize>, limit| {
        let after = after.map(|n| RunPosition::of(&expected[n]));
        all().process(Some("count".into())).after(after).limit(limit)
    };
    assert_eq!(listed(&*there, page(None, 3)).await, ids[..3]);
    assert_eq!(listed(&*there, page(Some(2), 3)).await, ids[3..6]);
    assert_eq!(listed(&*there, page(Some(5), 3)).await, ids[6..]);
    assert_eq!(listed(&*there, page(Some(6), 3)).await, []);
    assert_eq!(listed(&*there, page(None, 0)).await, []);
    assert_eq!(listed(&*there, page(Some(6), usize::MAX)).await, []);
    assert_eq!(listed(&*there, page(Some(0), usize::MAX)).await, ids[1..]);
}

pub async fn pages_stay_while_runs_change(Nodes { here, there }: Nodes) {
    let mut runs = Vec::new();
    for _ in 0..6 {
        runs.insert(0, started(&*here, run_of("count")).await);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let first = there.run_slice(all().limit(3)).await.unwrap();
    assert_eq!(first.next, Some(RunPosition::of(&runs[2])));
    // A new run moves no other to the next page, and neither does the removal of the run where it begins.
    started(&*here, run_of("count")).await;
    here.control(runs[2].id, Control::Cancel).await.unwrap();
    let everything = Retention::default().older_than(Duration::ZERO).newest(0);
    while here.prune(everything.clone()).await.unwrap().more {}
    assert_eq!(here.run(runs[2].id).await.unwrap(), None);
    let second = there.run_slice(all().limit(3).after(first.next)).await.unwrap();
    assert_eq!(second.runs, runs[3..]);
    let after = second.runs.last().map(RunPosition::of);
    let third = there.run_slice(all().limit(3).after(after)).await.unwrap();
    assert_eq!((third.runs, third.next), (Vec::new(), None));
}

pub async fn same_microsecond_loses_no_run(Nodes { here, there }: Nodes) {
    let at = Timestamp::now();
    for _ in 0..5 {
        let mut run = run_of("count");
        run.created_at = at;
        started(&*here, run).await;
    }
    let mut found = Vec::new();
    let mut after = None;
    while let Some(run) = there.runs(all().limit(1).after(after)).await.unwrap().pop() {
        after = Some(RunPosition::of(&run));
        found.push(run.number);
    }
    assert_eq!(found, [5, 4, 3, 2, 1]);
}

pub async fn ranked_runs_lead_with_running(Nodes { here, there }: Nodes) {
    let ranked = |limit| all().process(Some("a".into())).order(RunOrder::Ranked).limit(limit);
    let ended = held(&*here, "a").await;
    let running = held(&*here, "a").await;
    here.finish(ended.lease, Batch::default(), Outcome::Cancelled).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2)).await;
    let cancelling = held(&*here, "a").await;
    here.control(cancelling.lease.run, Control::Cancel).await.unwrap();
    let mut queued = Vec::new();
    for _ in 0..3 {
        queued.insert(0, started(&*here, run_of("a")).await.id);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    here.control(queued[2], Control::Pause).await.unwrap();
    let later = held(&*here, "b").await;
    here.finish(later.lease, Batch::default(), Outcome::Cancelled).await.unwrap();
    let [running, ended] = [running, ended].map(|claim| claim.lease.run);
    let expected = [cancelling.lease.run, running, queued[2], queued[0], queued[1], ended];
    assert_eq!(listed(&*there, ranked(100)).await, expected);
    assert_eq!(listed(&*there, ranked(1)).await, expected[..1]);
    let active: Vec<_> = RunStatus::ALL.into_iter().filter(|status| !status.is_terminal()).collect();
    assert_eq!(listed(&*there, ranked(100).statuses(active)).await, expected[..5]);
    // Page by page.
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let slice = there.run_slice(ranked(2).after(after)).await.unwrap();
        found.extend(slice.runs.iter().map(|run| run.id));
        after = slice.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(found, expected);
}

pub async fn runs_are_found_by_number(Nodes { here, there }: Nodes) {
    let mut runs = Vec::new();
    for process in ["a", "b", "b", "c/d", "b"] {
        runs.push(started(&*here, run_of(process)).await);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let of = |number, process: Option<&str>| all().number(Some(number)).process(process.map(Into::into));
    assert_eq!(listed(&*there, of(1, None)).await, [runs[3].id, runs[1].id, runs[0].id]);
    assert_eq!(listed(&*there, of(3, None)).await, [runs[4].id]);
    assert_eq!(listed(&*there, of(2, Some("b"))).await, [runs[2].id]);
    assert_eq!(listed(&*there, of(2, Some("a"))).await, []);
    assert_eq!(listed(&*there, of(0, None)).await, []);
    assert_eq!(listed(&*there, of(u64::MAX, None)).await, []);
    let after = Some(RunPosition::of(&runs[3]));
    assert_eq!(listed(&*there, of(1, None).limit(1).after(after)).await, [runs[1].id]);
    let except = vec!["a".to_owned(), "b".to_owned()];
    assert_eq!(listed(&*there, of(1, None).except(except)).await, [runs[3].id]);
}

pub async fn runs_are_found_by_text(Nodes { here, there }: Nodes) {
    let given = |input: serde_json::Value| {
        let mut run = run_of("count");
        run.input = input.as_object().cloned().unwrap();
        run
    };
    let plain = started(&*here, given(json!({ "name": "Crème 50 %_ \"quoted\"", "count": 4_711 }))).await;
    tokio::time::sleep(Duration::from_millis(2)).await;
    let deep =
        started(&*here, given(json!({ "lines": [{ "what": "back\\slash\nnext" }], "on": true }))).await;
    tokio::time::sleep(Duration::from_millis(2)).await;
    let failed = held(&*here, "other").await;
    let error = Failure::from("The import stopped").caused_by(["Connection to db1 refused", "timeout"]);
    here.finish(failed.lease, Batch::default(), Outcome::Failed(error)).await.unwrap();
    let (plain, deep, failed) = (plain.id, deep.id, failed.lease.run);
    let of = |text: &str| all().contains(Some(text.into()));
    for (text, expected) in [
        ("crème", &[plain][..]),
        ("50 %_", &[plain]),
        ("\"quoted\"", &[plain]),
        ("471", &[plain]),
        ("k\\s", &[deep]),
        ("slash\nnext", &[deep]),
        ("import stop", &[failed]),
        ("DB1", &[failed]),
        ("TIMEOUT", &[failed]),
        ("true", &[deep]),
        // The names of inputs, and what else is stored, are not searched.
        ("what", &[]),
        ("other", &[]),
        ("A title", &[]),
        ("nothing like it", &[]),
        ("", &[failed, deep, plain]),
    ] {
        assert_eq!(listed(&*there, of(text)).await, expected, "{text}");
        assert_eq!(there.count_runs(of(text)).await.unwrap().total(), expected.len() as u64, "{text}");
    }
    let both = of("e").process(Some("count".into())).statuses(vec![RunStatus::Queued]);
    assert_eq!(listed(&*there, both).await, [deep, plain]);
}

pub async fn text_search_continues_between_slices(Nodes { here, there }: Nodes) {
    let with = |text: String| {
        let mut run = run_of("count");
        run.input.insert("text".into(), text.into());
        run
    };
    let needle = started(&*here, with("needle".into())).await;
    let hay = "hay ".repeat(20_000);
    for _ in 0..100 {
        started(&*here, with(hay.clone())).await;
    }
    let mut filter = all().contains(Some("needle".into()));
    let mut slices = 0;
    let found = loop {
        let slice = there.run_slice(filter.clone()).await.unwrap();
        slices += 1;
        if let Some(run) = slice.runs.first() {
            break run.clone();
        }
        filter.after = Some(slice.next.expect("the run was not found yet"));
    };
    assert_eq!(found, needle);
    assert!(slices > 1, "8 MB were read in one call");
    assert_eq!(listed(&*there, filter.after(None)).await, [needle.id]);
}

pub async fn runs_are_found_by_failed_items(Nodes { here, there }: Nodes) {
    let clean = held(&*here, "a").await;
    let failing = held(&*here, "a").await;
    let counting = held(&*here, "b").await;
    let items = vec![FailedItem { item: "7".into(), reason: "no".into() }];
    here.append(failing.lease, Batch::default().failed_items(Some(items))).await.unwrap();
    let mut progress = counting.run.progress.clone();
    progress.counts = serde_json::from_value(json!({ Counts::FAILED: 3 })).unwrap();
    let batch = Batch::default().progress(Some(progress));
    here.finish(counting.lease, batch, Outcome::Cancelled).await.unwrap();
    here.finish(clean.lease, Batch::default(), Outcome::Cancelled).await.unwrap();
    let with = |process: Option<&str>| all().failed_items(true).process(process.map(Into::into));
    let (failing, counting) = (failing.lease.run, counting.lease.run);
    assert_eq!(listed(&*there, with(None)).await, [counting, failing]);
    assert_eq!(listed(&*there, with(Some("a"))).await, [failing]);
    let running = with(None).statuses(vec![RunStatus::Running]);
    assert_eq!(listed(&*there, running).await, [failing]);
}

pub async fn matching_runs_are_counted_by_status(Nodes { here, there }: Nodes) {
    use RunStatus::{Cancelled, Paused, Queued, Running};
    for process in ["a", "a", "b"] {
        let claim = held(&*here, process).await;
        here.finish(claim.lease, Batch::default(), Outcome::Cancelled).await.unwrap();
    }
    held(&*here, "a").await;
    let mut run = run_of("a");
    run.actor = Some("ada".into());
    let paused = started(&*here, run).await;
    here.control(paused.id, Control::Pause).await.unwrap();
    started(&*here, run_of("b")).await;
    let counted = async |filter: RunFilter| {
        let counts = there.count_runs(filter).await.unwrap();
        assert!(counts.is_complete);
        [Queued, Running, Paused, Cancelled].map(|status| counts.of(status))
    };
    assert_eq!(counted(all()).await, [1, 1, 1, 3]);
    let of = |process: &str| all().process(Some(process.into()));
    assert_eq!(counted(of("a")).await, [0, 1, 1, 2]);
    // Statuses, position and limit are those of a page, and the counts those of all pages.
    let after = Some(RunPosition::of(&paused));
    let page = of("a").statuses(vec![Queued]).limit(1).after(after);
    assert_eq!(counted(page).await, [0, 1, 1, 2]);
    assert_eq!(counted(all().actor(Some("ada".into()))).await, [0, 0, 1, 0]);
    assert_eq!(counted(all().except(vec!["a".into()])).await, [1, 0, 0, 1]);
    assert_eq!(counted(all().until(Some(Timestamp::UNIX_EPOCH))).await, [0; 4]);
    assert_eq!(counted(all().number(Some(1))).await, [0, 0, 0, 2]);
}
