//! A program that is besieged: crowds that search and download, talkers without a pause, a disk that is full for a
//! minute. Its runs must come to their ends, and its starts be answered, all the same.
//!
//! `tests/load/siege` lays it, in release. It takes minutes and all of the machine, so that no other test asks for it.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use process_tests::load::Child;
use serde_json::json;
use tokio::time::sleep;

use self::field::Field;
use self::ground::Ground;
use self::plan::Plan;
use self::readers::{DOWNLOADERS, MAY_DOWNLOAD, Readers, SEARCHERS};
use self::starter::Figures;
use self::table::{Table, p99_of};
use self::watch::{MIB, Watch};

mod field;
mod ground;
mod plan;
mod readers;
mod runs;
mod starter;
mod table;
mod watch;

const SOON: Duration = Duration::from_secs(60);
/// How much the program may grow.
const MAY_GROW: u64 = 128 * MIB;
/// How many runs write to the full disk, 62 MiB each: they use up the store's free pages.
const WRITERS: usize = 4;
/// How long a start may take, of ninety-nine in a hundred.
const START: Duration = Duration::from_millis(100);

fn program(data: &Path, plan: &Plan, settings: &[(&str, &str)]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_load-child"));
    command.arg(data).env("PROCESS_TEST_LEASE_MS", plan.lease.as_millis().to_string());
    command.envs(settings.iter().copied());
    Child::of(command)
}

/// An ended run with this many log lines.
async fn log_of(field: &Field, lines: u64, bytes: u64) -> String {
    let run = field.begin("fills", &json!({ "lines": lines, "bytes": bytes })).await;
    assert_eq!(field.ended(&run, 2 * SOON).await["status"], "succeeded");
    run
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "it takes minutes and all of the machine: tests/load/siege"]
async fn overloaded_server_keeps_its_promises() {
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let (mut plan, ground) = (Plan::from_env(), Ground::mount());
    if !ground.can_be_filled() {
        println!("LEFT OUT: no tmpfs can be mounted here (that takes root), so that the disk is never full");
        plan.leave_out("full");
    }
    println!("PROCESS_SIEGE_SEED={} makes the same plan again: {plan:?}", plan.seed);
    let data = ground.data();
    let program = program(&data, &plan, &[]);
    let addr = program.address(SOON).unwrap();
    let before = Field::new(plan.clone(), addr);
    // 43 MiB, and 62 MiB in lines of 16 kB: below the limit of a log.
    let (searched, downloaded) = (log_of(&before, 45_000, 1_000).await, log_of(&before, 4_000, 16_000).await);

    let field = Arc::new(Field::new(plan.clone(), addr));
    let watch = Watch::begin(&field, program.id(), &data);
    let runs = runs::begin(&field).await;
    let (searchers, downloaders) = (Arc::new(Readers::default()), Arc::new(Readers::default()));
    let starts = tokio::spawn(starter::start_all(Arc::clone(&field)));
    let look = tokio::spawn(runs::look(Arc::clone(&field), runs.clone()));
    let mut others = Vec::new();
    if plan.has("searches") {
        let crowd = readers::search(Arc::clone(&field), searched, Arc::clone(&searchers));
        others.push(tokio::spawn(crowd));
    }
    if plan.has("downloads") {
        let crowd = readers::download(Arc::clone(&field), downloaded, Arc::clone(&downloaders));
        others.push(tokio::spawn(crowd));
    }
    let mut talkers = Vec::new();
    for bytes in plan.bytes.into_iter().filter(|_| plan.has("talkers")) {
        let input = json!({ "bytes": bytes, "seconds": plan.length.as_secs_f64() });
        talkers.push(field.begin("talks", &input).await);
    }
    let (ground, writers) = be_full(&field, ground).await;
    let (starts, seen) = (starts.await.unwrap(), look.await.unwrap());
    for other in others {
        other.await.unwrap();
    }

    let mut table = Table::default();
    table.tell("seed, seconds, lease", format!("{}, {:?}, {:?}", plan.seed, plan.length, plan.lease));
    let figures = Figures::of(&field, &starts);
    let broken_off = field.was_broken_off();
    if broken_off.is_none() {
        for (what, others) in [("a talker", talkers), ("a writer into the full disk", writers)] {
            ended(&field, what, &others, &mut table).await;
        }
        after(&field, &runs, &starts, &mut table).await;
    }
    let points = watch.end();
    let begin = points[0].resident;
    let most = points.iter().map(|point| point.resident).max().unwrap_or_default();
    let within = most <= begin + MAY_GROW;
    let grown = format!("{} MiB at first, {} MiB at the most", begin / MIB, most / MIB);
    table.hold("memory", grown, "at most 128 MiB more than at first", within);
    let ended = broken_off.clone().unwrap_or_else(|| "no".into());
    table.hold("broken off", ended, "no", broken_off.is_none());
    started(&figures, &mut table);
    looked(&seen, &mut table);
    read(&plan, &searchers, &downloaders, &mut table);
    let largest = points.iter().map(|point| point.file + point.ahead).max().unwrap_or_default();
    if broken_off.is_none() {
        shrinks(program, &data, &plan, largest, &mut table).await;
    }
    println!("{}\n{table}", watch::course(&points, 30));
    drop(ground);
    let broken = table.broken();
    assert!(broken.is_empty(), "PROCESS_SIEGE_SEED={}: these do not hold: {}", plan.seed, broken.join(", "));
}

/// Waits for the full minute, lets it pass, and waits for the end of the siege.
async fn be_full(field: &Arc<Field>, mut ground: Ground) -> (Ground, Vec<String>) {
    let mut writers = Vec::new();
    if field.plan.has("full") && field.wait_for(field.plan.full.start).await {
        let input = json!({ "lines": 4_000, "bytes": 16_000 });
        let begun = (0..WRITERS).map(|_| field.start("fills", &input));
        let over = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&over);
        let begun = futures_util::future::join_all(begun);
        let filling = tokio::task::spawn_blocking(move || {
            ground.fill_until(&told);
            ground
        });
        let begun = begun.await.into_iter().flatten().filter(|(status, _)| *status == 201);
        writers.extend(begun.filter_map(|(_, run)| Some(format!("/runs/{}", run["id"].as_str()?))));
        field.wait_for(field.plan.full.end).await;
        over.store(true, Ordering::Relaxed);
        ground = filling.await.unwrap();
    }
    field.wait_for(field.plan.length).await;
    (ground, writers)
}

/// The ends of the runs that log continuously.
async fn ended(field: &Field, what: &str, runs: &[String], table: &mut Table) {
    for run in runs {
        let run = field.ended(run, SOON).await;
        let said = format!("{}, {} lines", run["status"].as_str().unwrap_or("not there"), run["result"]);
        table.hold(what, said, "succeeded", run["status"] == "succeeded");
    }
}

/// Checks at the end: the ends of the runs, and the acknowledged starts.
async fn after(field: &Field, runs: &[String], starts: &[starter::Start], table: &mut Table) {
    let ends = runs::end(field, runs).await;
    ends.wrong.iter().for_each(|wrong| println!("{wrong}"));
    let holds = ends.wrong.is_empty() && ends.by_status.get("succeeded") == Some(&20);
    table.hold("ends of the runs", format!("{:?}", ends.by_status), "20 succeeded, no line missing", holds);
    let kept = starts.iter().filter_map(|start| start.id.as_ref());
    let (acknowledged, lost) = (kept.clone().count(), runs::lost(field, kept).await);
    lost.iter().take(10).for_each(|lost| println!("lost: {lost}"));
    let said = format!("{} of {acknowledged}", lost.len());
    table.hold("acknowledged starts that are lost", said, "none", lost.is_empty());
    let figures = field.get("/metrics").await.unwrap_or_default().1;
    let third = field.plan.lease.as_secs_f64() / 3.0;
    let bound = format!("below a third of the lease, {third:.1} s");
    match p99_of(&figures, "process_heartbeat_duration_seconds", "") {
        Some(p99) => table.hold("heartbeat p99", format!("{p99} s"), &bound, p99 < third),
        None => table.hold("heartbeat p99", "no heartbeat metric", &bound, false),
    }
    let of_store = p99_of(&figures, "process_store_operation_seconds", "operation=\"heartbeat\"");
    table.tell("heartbeat in the store, p99", format!("{of_store:?} s"));
}

fn started(figures: &Figures, table: &mut Table) {
    let Figures { outside, refused_outside, within, kept_within, refused_within, odd_within } = figures;
    let holds = outside.count > 0 && outside.p99 < START;
    table.hold("starts while there is room", outside, "p99 below 100 ms", holds);
    table.tell("of them not answered with 201", refused_outside);
    table.tell("starts while the disk is full", within);
    let said = format!("{kept_within} were 201, {refused_within} were 503, {odd_within} something else");
    table.hold("of them", said, "201 or 503", *odd_within == 0);
}

fn looked(seen: &runs::Seen, table: &mut Table) {
    let all: u64 = seen.ready.values().sum();
    let ready = seen.ready.get(&Some(200)).copied().unwrap_or_default();
    let holds = all > 0 && ready * 100 >= all * 99;
    table.hold("ready while there is room", format!("{:?}", seen.ready), "99 of 100 times 200", holds);
    table.tell("ready while the disk is full", format!("{:?}", seen.ready_when_full));
    table.tell("answers about the runs", format!("{:?}, {}", seen.answers, seen.took));
    let interrupted = seen.interrupted.as_ref();
    let said = interrupted.map_or("never".into(), |(at, run)| format!("at {at:.1?}: {}", run["error"]));
    table.hold("a run seen as interrupted", said, "never", interrupted.is_none());
}

fn read(plan: &Plan, searchers: &Readers, downloaders: &Readers, table: &mut Table) {
    if plan.has("searches") {
        let answers = searchers.answers.lock().unwrap();
        let holds = answers.keys().all(|status| [0, 200, 429, 503].contains(status));
        let said = format!("{answers:?} (0: left after a second)");
        table.hold(&format!("crowds of {SEARCHERS} who search"), said, "200, 429, 503 or none", holds);
    }
    if plan.has("downloads") {
        let (answers, load) = (downloaders.answers.lock().unwrap(), |of: &std::sync::atomic::AtomicU64| {
            of.load(Ordering::Relaxed)
        });
        let (most, cut, untold) =
            (load(&downloaders.most), load(&downloaders.cut), load(&downloaders.untold));
        let refused = answers.get(&503).copied().unwrap_or_default();
        let said = format!("{answers:?}, {most} at the same time, {cut} ended by the program");
        let holds = refused > 0 && most > 0 && most <= MAY_DOWNLOAD + cut;
        let what = format!("{DOWNLOADERS} slow downloads");
        table.hold(&what, said, "200 to 256 at a time, 503 to the others", holds);
        table.hold("refused without Retry-After", untold, "none", untold == 0);
    }
}

/// Restarts the program without retention, and checks that the store's file shrinks.
async fn shrinks(mut program: Child, data: &Path, plan: &Plan, largest: u64, table: &mut Table) {
    let (file, ahead) = ground::sizes(data);
    table.tell("store at the most, at the end", format!("{}, {} MiB", largest / MIB, (file + ahead) / MIB));
    program.signal("TERM");
    let exit = program.ended(SOON);
    table.hold(
        "asked to stop it ends",
        format!("{exit:?}"),
        "exit status 0",
        exit.is_some_and(|exit| exit.success()),
    );
    drop(program);
    let next_program = self::program(data, plan, &[("PROCESS_TEST_KEEP_MS", "1000")]);
    let next = Field::new(plan.clone(), next_program.address(SOON).unwrap());
    let (mut left, mut runs) = (u64::MAX, None);
    for _ in 0..SOON.as_secs() {
        sleep(Duration::from_secs(1)).await;
        let (file, ahead) = ground::sizes(data);
        left = file + ahead;
        runs = next.get_json("/runs").await.and_then(|(_, listed)| Some(listed["runs"].as_array()?.len()));
        if left < 32 * MIB && runs == Some(0) {
            break;
        }
    }
    let said = format!("{} MiB with {runs:?} runs", left / MIB);
    table.hold("store when all is pruned", said, "below 32 MiB", runs == Some(0) && left < 32 * MIB);
}
