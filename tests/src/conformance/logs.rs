//! Logs and batches.

use process_runtime::store::{Batch, LogFilter, Release, Store, StoreError, TrimLog};
use process_runtime::{
    RunId,
    run::{FailedItem, InnerBar, Level, LogLine, PastStage, ProgressState, RunFile, Stage},
};
use serde_json::json;

use super::{Nodes, batch_of, claimed, held, line, lines, run_of, stale, started, stored};

async fn all(store: &dyn Store, id: RunId) -> Vec<LogLine> {
    store.log(id, LogFilter::after(0, usize::MAX)).await.unwrap()
}

fn numbers(lines: &[LogLine]) -> Vec<u64> {
    lines.iter().map(|line| line.seq).collect()
}

pub async fn log_lines_round_trip(Nodes { here, there }: Nodes) {
    let claim = held(&*here, "count").await;
    let texts = ["", "plain", "a\nb\r\n\u{0}c", "\u{2028}💥\u{fffd}", "'; DROP TABLE lines; --", "long"];
    let mut given = Vec::new();
    for (n, text) in texts.into_iter().enumerate() {
        let text = if text == "long" { "x".repeat(100_000) } else { text.to_owned() };
        given.push(line(n as u64 + 1, Level::ALL[n % 4], &text));
    }
    given[1].styles = serde_json::from_value(json!([[0, 2, "bold red"], [3, 1, "gray"]])).unwrap();
    // Numbers may have gaps, and be large.
    given.push(line(1 << 40, Level::Error, "far"));
    here.append(claim.lease, batch_of(given[..3].to_vec())).await.unwrap();
    here.append(claim.lease, batch_of(given[3..].to_vec())).await.unwrap();
    assert_eq!(all(&*there, claim.run.id).await, given);
}

pub async fn stored_lines_are_not_overwritten(Nodes { here, .. }: Nodes) {
    let claim = held(&*here, "count").await;
    here.append(claim.lease, batch_of(lines("first", 1..=3))).await.unwrap();
    // The answer was lost: the same batch is sent again, with more.
    here.append(claim.lease, batch_of(lines("first", 1..=3))).await.unwrap();
    here.append(claim.lease, batch_of(lines("second", 2..=5))).await.unwrap();
    let expected = [lines("first", 1..=3), lines("second", 4..=5)].concat();
    assert_eq!(all(&*here, claim.run.id).await, expected);
}

pub async fn batch_is_stored_atomically(Nodes { here, there }: Nodes) {
    let claim = held(&*here, "count").await;
    let progress = ProgressState {
        title: "Another title".into(),
        percent: Some(0.1),
        current: Some(u64::MAX - 1),
        total: Some(u64::MAX),
        text: "text".into(),
        first_total: Some(2),
        inner: Some(InnerBar { percent: Some(12.5), current: Some(1), total: Some(8) }),
        stage: Some(Stage {
            name: "stage".into(),
            index: Some(1),
            started_ms: 9,
            percent: Some(3.5),
            ..Stage::default()
        }),
        stage_weights: vec![40, 360],
        estimate: serde_json::from_str(r#"{"rate":1.5,"left_ms":7000,"at_ms":5,"good_for_ms":6000}"#)
            .unwrap(),
        stages: vec![PastStage { name: "before".into(), index: None, of: None, elapsed_ms: 8 }],
        counts: serde_json::from_str(r#"{"zebra":3,"ant":"18446744073709551615"}"#).unwrap(),
        warnings: 4,
        omitted_lines: 3,
    };
    let failed = FailedItem { item: "line 7".into(), reason: "no <b>name</b>".into() };
    let file = RunFile { name: "a b.csv".into(), size: 9, media_type: "text/csv".into(), stored: "7".into() };
    let batch = batch_of(lines("line", [1]))
        .progress(progress.clone())
        .files(vec![file.clone()])
        .failed_items(vec![failed.clone()])
        .stalled(true)
        .elapsed_ms(77);
    here.append(claim.lease, batch).await.unwrap();
    let run = stored(&*there, claim.run.id).await;
    assert_eq!((run.progress, run.files, run.stalled), (progress, vec![file], true));
    assert_eq!(run.failed_items, [failed]);
    assert_eq!(run.elapsed_ms, 77);
    assert_eq!(all(&*there, claim.run.id).await, lines("line", [1]));
}

pub async fn fenced_batch_stores_nothing(Nodes { here, .. }: Nodes) {
    let claim = held(&*here, "count").await;
    here.append(claim.lease, batch_of(lines("line", 1..=4))).await.unwrap();
    let before = stored(&*here, claim.run.id).await;
    let batch = batch_of(lines("stale", 5..=6)).omit(TrimLog::new(1..=4)).progress(ProgressState::default());
    assert_eq!(here.append(stale(claim.lease), batch).await, Err(StoreError::Fenced));
    assert_eq!(stored(&*here, claim.run.id).await, before);
    assert_eq!(all(&*here, claim.run.id).await, lines("line", 1..=4));
}

pub async fn unset_batch_fields_stay(Nodes { here, .. }: Nodes) {
    let claim = held(&*here, "count").await;
    let progress = ProgressState { percent: Some(12.0), ..claim.run.progress.clone() };
    let batch = batch_of(lines("line", [1])).progress(progress.clone()).stalled(true).elapsed_ms(5);
    here.append(claim.lease, batch).await.unwrap();
    here.append(claim.lease, batch_of(lines("line", [2])).elapsed_ms(6)).await.unwrap();
    here.append(claim.lease, Batch::default().files(Vec::new()).elapsed_ms(7)).await.unwrap();
    let run = stored(&*here, claim.run.id).await;
    assert_eq!((run.progress, run.stalled, run.elapsed_ms), (progress, true, 7));
    assert_eq!(numbers(&all(&*here, claim.run.id).await), [1, 2]);
    here.append(claim.lease, Batch::default().stalled(false)).await.unwrap();
    assert!(!stored(&*here, claim.run.id).await.stalled);
}

pub async fn omission_keeps_requested_lines(Nodes { here, .. }: Nodes) {
    let claim = held(&*here, "count").await;
    let given: Vec<_> = (1..=12).map(|n| line(n, Level::ALL[n as usize % 4], "line")).collect();
    // A batch may take away what it has brought itself.
    let omit = Some(TrimLog::new(3..=10).keep(Level::Warn));
    here.append(claim.lease, batch_of(given).omit(omit)).await.unwrap();
    // 3, 7: errors; 6, 10: warnings.
    assert_eq!(numbers(&all(&*here, claim.run.id).await), [1, 2, 3, 6, 7, 10, 11, 12]);
    let omit = Some(TrimLog::new(2..=6).keep(Level::Error));
    here.append(claim.lease, Batch::default().omit(omit)).await.unwrap();
    assert_eq!(numbers(&all(&*here, claim.run.id).await), [1, 3, 7, 10, 11, 12]);
    let omit = Some(TrimLog::new(1..=u64::MAX));
    here.append(claim.lease, Batch::default().omit(omit)).await.unwrap();
    assert_eq!(all(&*here, claim.run.id).await, []);
}

pub async fn log_reads_from_number_with_limit(Nodes { here, there }: Nodes) {
    let claim = held(&*here, "count").await;
    here.append(claim.lease, batch_of(lines("line", (1..=20).map(|n| n * 2)))).await.unwrap();
    let read =
        async |after, limit| numbers(&there.log(claim.run.id, LogFilter::after(after, limit)).await.unwrap());
    assert_eq!(read(0, 3).await, [2, 4, 6]);
    assert_eq!(read(6, 2).await, [8, 10]);
    assert_eq!(read(7, 1).await, [8]);
    assert_eq!(read(36, 100).await, [38, 40]);
    assert!(read(40, 100).await.is_empty());
    assert!(read(u64::MAX, 100).await.is_empty());
    assert!(read(0, 0).await.is_empty());
    assert_eq!(read(0, usize::MAX).await.len(), 20);
}

pub async fn log_read_has_byte_budget(Nodes { here, .. }: Nodes) {
    let claim = held(&*here, "count").await;
    let given: Vec<_> = (1..=20).map(|n| line(n, Level::Info, &"x".repeat(1_000))).collect();
    here.append(claim.lease, batch_of(given)).await.unwrap();
    let read = async |after, max_bytes| {
        let filter = LogFilter::after(after, usize::MAX).max_bytes(max_bytes);
        let slice = here.log_slice(claim.run.id, filter.clone()).await.unwrap();
        let all = here.log(claim.run.id, filter).await.unwrap();
        (numbers(&slice.lines), slice.next, numbers(&all))
    };
    assert_eq!(read(0, 3_999).await, (vec![1, 2, 3], Some(3), vec![1, 2, 3]));
    assert_eq!(read(3, 4_000).await, (vec![4, 5, 6, 7], Some(7), vec![4, 5, 6, 7]));
    assert_eq!(read(7, 0).await, (vec![8], Some(8), vec![8]), "one line at least");
    assert_eq!(read(18, 2_000).await, (vec![19, 20], None, vec![19, 20]), "nothing follows");
    assert_eq!(read(20, 2_000).await, (vec![], None, vec![]));
}

pub async fn log_search_continues_between_slices(Nodes { here, there }: Nodes) {
    let claim = held(&*here, "count").await;
    for thousand in 0..12 {
        let numbers = thousand * 1_000 + 1..=thousand * 1_000 + 1_000;
        let text = |n| if n == 11_500 { "the needle".to_owned() } else { "hay ".repeat(100) };
        let given = numbers.map(|n| line(n, Level::Info, &text(n))).collect();
        here.append(claim.lease, batch_of(given)).await.unwrap();
    }
    let mut filter = LogFilter::default().contains("needle".to_owned());
    let (mut found, mut slices) = (Vec::new(), 0);
    loop {
        let slice = there.log_slice(claim.run.id, filter.clone()).await.unwrap();
        slices += 1;
        found.extend(numbers(&slice.lines));
        let Some(next) = slice.next else { break };
        assert!(next > filter.after, "it goes on");
        filter.after = next;
    }
    // No slice reads all of it, so that other operations get their turn.
    assert!(slices > 1, "{slices}");
    assert_eq!(found, [11_500]);
    let filter = LogFilter::default().contains("needle".to_owned());
    assert_eq!(numbers(&there.log(claim.run.id, filter).await.unwrap()), [11_500]);
}

pub async fn log_tail_has_byte_limit(Nodes { here, .. }: Nodes) {
    let claim = held(&*here, "count").await;
    let given = (1..=40).map(|n| line(n, Level::Info, &"x".repeat(100_000))).collect();
    here.append(claim.lease, batch_of(given)).await.unwrap();
    let tail = numbers(&here.log_tail(claim.run.id, 500).await.unwrap());
    assert_eq!(tail, (31..=40).collect::<Vec<_>>());
    here.append(claim.lease, batch_of(vec![line(41, Level::Info, &"x".repeat(2 << 20))])).await.unwrap();
    assert_eq!(numbers(&here.log_tail(claim.run.id, 500).await.unwrap()), [41], "the last one in any case");
}

pub async fn log_filters_by_level(Nodes { here, .. }: Nodes) {
    let claim = held(&*here, "count").await;
    let given: Vec<_> = (1..=8).map(|n| line(n, Level::ALL[(n as usize - 1) % 4], "line")).collect();
    here.append(claim.lease, batch_of(given)).await.unwrap();
    for (level, expected) in [
        (Some(Level::Error), vec![4, 8]),
        (Some(Level::Warn), vec![3, 4, 7, 8]),
        (Some(Level::Info), vec![2, 3, 4, 6, 7, 8]),
        (Some(Level::Debug), (1..=8).collect()),
        (None, (1..=8).collect()),
    ] {
        let filter = LogFilter::after(0, 100).level(level);
        assert_eq!(numbers(&here.log(claim.run.id, filter).await.unwrap()), expected, "{level:?}");
    }
    // The limit applies to the returned lines, not to those that were read.
    let filter = LogFilter::after(4, 1).level(Level::Error);
    assert_eq!(numbers(&here.log(claim.run.id, filter).await.unwrap()), [8]);
}

pub async fn log_search_matches_exact_text(Nodes { here, .. }: Nodes) {
    let claim = held(&*here, "count").await;
    let texts =
        ["100 % done", "100 of 100", "under_score", "underscore", "back\\slash", "ÄRGER", "a\u{0}bc", ""];
    let given = texts.iter().zip(1..).map(|(text, n)| line(n, Level::Info, text)).collect();
    here.append(claim.lease, batch_of(given)).await.unwrap();
    for (text, expected) in [
        ("%", vec![1]),
        ("100", vec![1, 2]),
        ("_", vec![3]),
        ("UNDER", vec![3, 4]),
        ("under_s", vec![3]),
        ("\\", vec![5]),
        ("K\\S", vec![5]),
        ("rger", vec![6]),
        ("Är", vec![6]),
        // Only ASCII has capital letters here.
        ("är", vec![]),
        ("\u{0}B", vec![7]),
        ("a\u{0}c", vec![]),
        ("bc", vec![7]),
        ("*", vec![]),
        ("", vec![1, 2, 3, 4, 5, 6, 7, 8]),
    ] {
        let filter = LogFilter::after(0, 100).contains(Some(text.into()));
        assert_eq!(numbers(&here.log(claim.run.id, filter).await.unwrap()), expected, "{text:?}");
    }
    let long = LogFilter::after(0, 100).contains("x".repeat(100_000));
    assert_eq!(here.log(claim.run.id, long).await.unwrap(), []);
    let third = LogFilter::after(1, 1).contains("0".to_owned());
    assert_eq!(numbers(&here.log(claim.run.id, third).await.unwrap()), [2]);
}

pub async fn log_tail_is_the_end(Nodes { here, .. }: Nodes) {
    let claim = held(&*here, "count").await;
    here.append(claim.lease, batch_of(lines("line", 1..=9))).await.unwrap();
    for (limit, expected) in [(0, vec![]), (1, vec![9]), (3, vec![7, 8, 9]), (usize::MAX, (1..=9).collect())]
    {
        assert_eq!(numbers(&here.log_tail(claim.run.id, limit).await.unwrap()), expected);
    }
}

pub async fn each_run_has_its_own_log(Nodes { here, there }: Nodes) {
    let one = held(&*here, "one").await;
    let two = held(&*here, "two").await;
    started(&*here, run_of("three")).await;
    here.append(one.lease, batch_of(lines("one", 1..=3))).await.unwrap();
    there.append(two.lease, batch_of(lines("two", 2..=5))).await.unwrap();
    // The numbers continue when another node claims the run.
    here.release(one.lease, Batch::default(), Release::Queued).await.unwrap();
    let again = claimed(&*there, "one").await;
    there.append(again.lease, batch_of(lines("more", 4..=4))).await.unwrap();
    let expected = [lines("one", 1..=3), lines("more", 4..=4)].concat();
    assert_eq!(all(&*here, one.run.id).await, expected);
    assert_eq!(all(&*here, two.run.id).await, lines("two", 2..=5));
}
