//! Writes what the server says about many runs and figures, in every language, to a file that a browser compares with what the
//! scripts say: `tests/browser/parity.test.mjs`.

use std::path::Path;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{actions, estimates, facts, index, table, words};
use crate::assets::scripts;
use crate::run::{
    Counts, Estimate, InnerBar, Level, PastStage, ProgressState, Run, RunStatus, SavedCursor, SavedFacts,
    Stage,
};
use crate::texts::{Languages, Texts};
use crate::web::request::active::ActiveCounts;
use crate::wire::Changing;

const FILE: &str = "../tests/browser/parity.json";
const LANGUAGES: [&str; 6] = ["en", "de", "es", "fr", "ar", "zh"];
const NUMBERS: [u64; 22] = [
    0,
    1,
    2,
    3,
    5,
    10,
    11,
    20,
    59,
    60,
    99,
    100,
    101,
    102,
    111,
    999,
    1_000,
    9_999,
    10_000,
    1_000_000,
    1_000_000_000_000_000,
    9_007_199_254_740_991,
];
/// Data in both directions, and what a placeholder must not do.
const DATA: [&str; 8] =
    ["", "Export", "Export 2 (x)", "استيراد 2", "12,5 %", "{n} $& \\", "a\u{a0}b", "導入"];
const MONTHS: u64 = 7_000_000_000;

/// A text in each language, or one for all.
fn in_all(say: impl Fn(&Texts) -> String) -> Value {
    let languages = Languages::built_in();
    let said: Vec<String> = LANGUAGES.iter().map(|tag| say(languages.find(tag).expect("built in"))).collect();
    if said.iter().all(|one| *one == said[0]) { json!(said[0]) } else { json!(said) }
}

/// Cases: the name of a function of the script, its arguments, and what the server says for them.
fn calls() -> Vec<Value> {
    let mut calls = Vec::new();
    let mut call = |name: &str, arguments: Value, said: Value| calls.push(json!([name, arguments, said]));
    for number in NUMBERS {
        call("number", json!([number]), in_all(|texts| texts.whole(number)));
    }
    for number in [u64::MAX, 9_007_199_254_740_993] {
        call("whole", json!([number.to_string()]), in_all(|texts| texts.whole(number)));
    }
    for ms in [
        0,
        1,
        99,
        100,
        949,
        950,
        999,
        1_000,
        9_949,
        9_999,
        10_000,
        59_999,
        60_000,
        61_000,
        99_000,
        119_000,
        119_999,
        120_000,
        3_599_000,
        3_600_000,
        3_660_000,
        7_620_000,
        86_399_000,
        86_400_000,
        90_061_000,
        35_999_999_000,
        MONTHS,
    ] {
        for ended in [false, true] {
            call("duration", json!([ms, ended]), in_all(|texts| texts.duration(ms, ended)));
        }
    }
    for percent in [0.0, 0.05, 1.0, 9.99, 42.0, 99.99, 100.0] {
        call("t", json!(["percent", { "n": f64::floor(percent) }]), in_all(|texts| texts.percent(percent)));
    }
    for data in DATA {
        call("isolated", json!([data]), in_all(|texts| texts.isolated(data).into_owned()));
    }
    for level in Level::ALL {
        let said = |texts: &Texts| match level {
            Level::Info => String::new(),
            level => words::level(texts, level).to_owned(),
        };
        call("levelWord", json!([level.as_str()]), in_all(said));
    }
    let long = ["x".repeat(300), "ж".repeat(150), "🙂".repeat(201), format!("{} y", "x".repeat(199))];
    for error in ["", "one", "\n  \n two \nthree", "\r\nfour\r\n"].into_iter().map(str::to_owned).chain(long)
    {
        call("firstLine", json!([error]), json!(table::first_line(&error)));
    }
    for (running, paused, queued) in [(0, 0, 0), (1, 0, 0), (2, 1, 3), (3, 12, 1_000), (1, 1, 1)] {
        for shown in RunStatus::ALL {
            let counts = ActiveCounts { running, paused, queued };
            let said = in_all(|texts| index::beside(texts, counts.beside(shown)));
            call("beside", json!([counts.json(), { "status": shown.as_str() }]), said);
        }
    }
    for percent in [None, Some(None), Some(Some(0.0)), Some(Some(52.7)), Some(Some(100.0))] {
        let mut run = Run::queued("a", "A", Map::new());
        run.bookkeeping.cursor = percent.map(|percent| SavedCursor {
            facts: Some(SavedFacts { percent, ..SavedFacts::default() }),
            ..SavedCursor::new(json!(1))
        });
        let resume = percent.map(|percent| json!({ "percent": percent }));
        call("resumes", json!([resume]), in_all(|texts| actions::retry(texts, &run, false)));
    }
    texts(&mut call);
    calls
}

/// Every text that a script names, with each plural form and each placeholder.
fn texts(call: &mut impl FnMut(&str, Value, Value)) {
    let Value::Object(named) = Texts::english().client(&scripts()) else { panic!("texts by key") };
    assert!(named.len() > 60, "{named:?}");
    for (key, text) in named {
        if text.is_object() {
            for number in NUMBERS {
                call("t", json!([key, { "n": number }]), in_all(|texts| texts.counted(&key, number)));
            }
            continue;
        }
        let text = text.as_str().expect("a text").to_owned();
        let places: Vec<&str> = text.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
        for data in if places.is_empty() { &DATA[..1] } else { &DATA[2..6] } {
            let values: Vec<(&str, &str)> = places.iter().map(|place| (*place, *data)).collect();
            let given: Map<String, Value> =
                values.iter().map(|(place, data)| ((*place).to_owned(), json!(data))).collect();
            call("t", json!([key, given]), in_all(|texts| texts.with(&key, &values)));
        }
    }
}

fn run(status: RunStatus, change: impl FnOnce(&mut Run)) -> Run {
    let mut run = Run::queued("a", "Import", Map::new());
    run.status = status;
    change(&mut run);
    run
}

fn estimated(estimate: Estimate, elapsed_ms: u64) -> Run {
    run(RunStatus::Running, |run| {
        run.elapsed_ms = elapsed_ms;
        run.progress.percent = Some(12.0);
        run.progress.estimate = Some(estimate);
    })
}

fn runs() -> Vec<Run> {
    let mut runs = Vec::new();
    for status in RunStatus::ALL {
        for percent in [None, Some(0.05), Some(99.99), Some(100.0)] {
            runs.push(run(status, |run| {
                run.progress.percent = percent;
                run.progress.text = "Row 7".to_owned();
                run.elapsed_ms = 11_000;
            }));
        }
        runs.push(run(status, |run| {
            (run.pausing, run.stalled, run.progress.warnings) = (true, true, 3);
            (run.due_at, run.started_at) = (Some(Timestamp::UNIX_EPOCH), Some(Timestamp::UNIX_EPOCH));
        }));
        runs.push(run(status, |run| run.stalled = true));
    }
    let (large, larger) = (1 << 53, (1 << 53) + 1);
    for (current, total, first_total) in [
        (Some(0), None, None),
        (Some(1_500), None, None),
        (Some(1), Some(0), None),
        (Some(300), Some(1_000), None),
        (Some(1_000), Some(1_000), None),
        (Some(45), Some(12_000), Some(1_000)),
        (Some(large), Some(larger), None),
        (Some(u64::MAX), Some(u64::MAX), Some(1)),
        (None, Some(5), None),
    ] {
        for status in [RunStatus::Running, RunStatus::Succeeded, RunStatus::Failed] {
            runs.push(run(status, |run| {
                (run.progress.current, run.progress.total, run.progress.first_total) =
                    (current, total, first_total);
                run.progress.inner = Some(InnerBar { percent: None, current, total });
            }));
        }
    }
    for name in DATA {
        for (index, of) in [(None, None), (Some(2), None), (Some(2), Some(4)), (Some(1_234), Some(20_000))] {
            runs.push(run(RunStatus::Running, |run| {
                run.progress.stage = Some(Stage { name: name.to_owned(), index, of, ..Stage::default() });
                name.clone_into(&mut run.progress.title);
                name.clone_into(&mut run.progress.text);
            }));
        }
        runs.push(run(RunStatus::Failed, |run| name.clone_into(&mut run.progress.text)));
    }
    runs.push(run(RunStatus::Running, |run| {
        let past =
            |name: &str, elapsed_ms| PastStage { name: name.to_owned(), index: None, of: None, elapsed_ms };
        run.progress.stages = vec![past("Read", 1_340), past("Write", 3_600_000)];
        run.progress.stage =
            Some(Stage { name: "Check".to_owned(), index: Some(3), of: Some(30), ..Stage::default() });
    }));
    let counted: [&[(&str, u64)]; 5] = [
        &[("imported", 12_000), ("skipped", 1)],
        &[("404", 3), ("ok", 2), ("200", 1_500), ("7", 1), ("007", 1), ("4294967295", 2), ("-1", 1)],
        &[("failed", 5)],
        &[("failed", 2), ("مستورد", u64::MAX)],
        &[],
    ];
    for (index, names) in counted.into_iter().enumerate() {
        runs.push(run(RunStatus::Running, |run| {
            run.progress.warnings = index as u64 * 2;
            let mut counts = Counts::default();
            names.iter().for_each(|(name, n)| counts.add(name, *n));
            run.progress.counts = counts;
        }));
    }
    let estimate = |rate, left_ms| Estimate { rate, left_ms, at_ms: 20_000, good_for_ms: 8_000 };
    for rate in [
        0.0, 0.0001, 0.01, 0.1, 0.99, 0.994, 0.995, 1.0, 1.25, 9.94, 9.95, 99.9, 999.4, 999.5, 1_500.0,
        12_345.0, 1e6, 1e15,
    ] {
        runs.push(estimated(estimate(Some(rate), None), 20_000));
    }
    for left_ms in [
        0, 9_999, 10_000, 10_001, 34_001, 54_999, 55_000, 89_999, 90_000, 119_000, 3_570_000, 3_599_000,
        3_600_000, 5_399_999, 5_400_000, 86_399_000, 86_399_999, 86_400_000, MONTHS,
    ] {
        runs.push(estimated(estimate(None, Some(left_ms)), 20_000));
    }
    // Before and after its moment, and when it no longer holds.
    for elapsed_ms in [19_000, 27_000, 28_000, 28_001, 90_000] {
        runs.push(estimated(estimate(Some(2.0), Some(44_000)), elapsed_ms));
    }
    for elapsed_ms in [9_000, 10_000, 10_001] {
        runs.push(run(RunStatus::Running, |run| run.elapsed_ms = elapsed_ms));
    }
    runs
}

/// The text of an element, as a browser gives it.
fn text_of(markup: &str) -> String {
    let mut text = String::new();
    for piece in markup.split('<').skip(1) {
        text.push_str(piece.split_once('>').map_or("", |(_, text)| text));
    }
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

/// What a script knows of a run, and what the server says of it.
fn said(run: &Run) -> Value {
    let mut known = serde_json::to_value(Changing::of(run)).expect("JSON");
    known.as_object_mut().expect("an object").remove("run");
    let progress: &ProgressState = &run.progress;
    let mut says = json!({
        "wording": in_all(|texts| words::state(texts, run).to_owned()),
        "toned": words::tone(run),
        "fullness": words::bar(run),
        "stageFullness": words::stage_bar(run),
        "percentage": in_all(|texts| words::percent(texts, run)),
        "steps": in_all(|texts| words::count(texts, progress)),
        "inner": in_all(|texts| words::inner(texts, progress)),
        "staged": in_all(|texts| words::stage(texts, progress)),
        "lineOf": in_all(|texts| words::line(texts, run)),
        "tookWords": in_all(|texts| words::took(texts, run).to_owned()),
        "rate": in_all(|texts| estimates::rate(texts, run)),
        "left": in_all(|texts| estimates::left(texts, run)),
        "title": in_all(|texts| words::window_title(texts, run)),
        "counts": in_all(|texts| text_of(&facts::counts(texts, progress).into_string())),
        "stages": in_all(|texts| text_of(&facts::stages(texts, progress, words::stage_bar(run)).into_string())),
    });
    says.as_object_mut().expect("an object").retain(|_, said| *said != "");
    json!([known, says])
}

#[test]
fn file_has_what_the_server_says() {
    let lines = |values: Vec<Value>| values.iter().map(Value::to_string).collect::<Vec<_>>().join(",\n");
    let runs = runs().iter().map(said).collect();
    let written = format!(
        "{{\"languages\":{},\n\"calls\":[\n{}\n],\n\"runs\":[\n{}\n]}}\n",
        json!(LANGUAGES),
        lines(calls()),
        lines(runs),
    );
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    if std::env::var_os("UPDATE_PARITY").is_some() {
        std::fs::write(&file, written).expect("a file");
    } else {
        let kept = std::fs::read_to_string(&file).unwrap_or_default();
        let first = kept.lines().zip(written.lines()).find(|(kept, written)| kept != written);
        assert!(
            kept == written,
            "the server says something else than {FILE}: {first:?}; write it anew with UPDATE_PARITY=1"
        );
    }
}
