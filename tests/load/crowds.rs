//! What thousands of viewers see of a run, and of the servers that it is compared with.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use process_tests::load::{Child, Pace, Plan, Report, Said, Viewers, request};
use serde_json::json;
use tempfile::TempDir;

const VIEWERS: usize = 50;
const PACE: Pace = Pace { ticks: 4, per_second: 20.0, burst: 16, bytes: 80 };
const SOON: Duration = Duration::from_secs(20);

pub(crate) fn start(addr: SocketAddr, route: &str, input: serde_json::Value) -> String {
    let answer = request(addr, &format!("POST /{route}/start"), &input.to_string()).unwrap();
    assert_eq!(answer.status, 201, "{}", String::from_utf8_lossy(&answer.body));
    format!("/runs/{}", answer.json()["id"].as_str().unwrap())
}

/// Lets them watch two rounds and the end.
fn watch(server: &mut Child, plan: Plan) -> Report {
    let viewers = Viewers::open(plan).unwrap();
    assert_eq!(viewers.next(SOON), Some(Said::Ready));
    for _ in 0..2 {
        server.tell("go");
        assert_eq!(viewers.next(SOON), Some(Said::Delivered));
    }
    server.tell("end");
    viewers.report().unwrap()
}

fn all_saw_all(report: &Report, name: &str) {
    let (viewers, lines) = (VIEWERS as u64, 2 * PACE.lines());
    assert_eq!(
        (report.connected, report.answered, report.errors),
        (viewers, viewers, 0),
        "{name}: {report:?}"
    );
    assert_eq!((report.ended, report.events.end, report.closed), (viewers, viewers, viewers), "{name}");
    assert_eq!(report.lines + report.old_lines, viewers * lines, "{name}: {report:?}");
    assert_eq!(report.events.log, report.lines, "{name}");
    assert_eq!(report.waves_ns.len(), 2, "{name}");
    let latency = report.latency;
    assert!(
        0 < latency.p50 && latency.p50 <= latency.p99 && latency.p99 <= latency.max,
        "{name}: {latency:?}"
    );
    // Nothing on one machine takes half a minute, so the times are those of the lines.
    assert!(latency.max < 30_000_000_000, "{name}: {latency:?}");
}

#[test]
fn every_viewer_gets_each_line_once() {
    for way in ["serve-on", "axum"] {
        let folder = TempDir::new().unwrap();
        let mut server = ours(way, &folder);
        let addr = server.address(SOON).unwrap();
        let Pace { ticks, per_second, burst, bytes } = PACE;
        let input = json!({ "ticks": ticks, "per_second": per_second, "burst": burst, "bytes": bytes });
        // Three runs of the same process: each is watched by some of them, and each hears the same signs.
        let runs: Vec<_> = (0..3).map(|_| start(addr, "bursts", input.clone())).collect();
        let paths = runs.iter().map(|run| format!("{run}/events")).collect();
        let plan = Plan { paths, lines_each: PACE.lines(), ..Plan::new(addr, "", VIEWERS) };
        let report = watch(&mut server, plan);
        all_saw_all(&report, way);
        assert_eq!(report.events.snapshot, VIEWERS as u64, "{way}");
    }
}

#[test]
fn million_updates_are_conflated_for_viewers() {
    let folder = TempDir::new().unwrap();
    let mut server = ours("serve-on", &folder);
    let addr = server.address(SOON).unwrap();
    let run = start(addr, "updates", json!({ "ticks": 1_000_000, "sign": 1 }));
    // Some of them read slowly or not at all: that is theirs alone.
    let plan = Plan { slow: 2, silent: 2, ..Plan::new(addr, format!("{run}/events"), VIEWERS) };
    let viewers = Viewers::open(plan).unwrap();
    assert_eq!(viewers.next(SOON), Some(Said::Ready));
    server.tell("go");
    let report = viewers.report().unwrap();
    assert_eq!((report.connected, report.errors), (VIEWERS as u64 + 4, 0), "{report:?}");
    assert!(report.ended >= VIEWERS as u64);
    // Viewers that are not waited for may have seen nothing.
    assert!(report.current.unknown <= 4 && report.current.max == 1_000_000.0, "{report:?}");
    assert_eq!(report.percent.max, 100.0);
    assert!(report.events.progress >= VIEWERS as u64 && report.events.progress < VIEWERS as u64 * 200);
    let run = request(addr, &format!("GET {run}"), "").unwrap().json();
    assert!(run["result"].as_f64().is_some_and(|seconds| seconds > 0.0), "{run}");
}

#[test]
fn compared_servers_send_the_same() {
    for system in ["raw-loop", "raw-task", "axum-broadcast", "axum-bytes", "hyper-bytes"] {
        let arguments: Vec<_> = [system.to_owned()].into_iter().chain(PACE.arguments()).collect();
        let mut server = Child::start(Path::new(env!("CARGO_BIN_EXE_load-servers")), None, &arguments);
        let plan =
            Plan { lines_each: PACE.lines(), ..Plan::new(server.address(SOON).unwrap(), "/", VIEWERS) };
        let report = watch(&mut server, plan);
        all_saw_all(&report, system);
        assert_eq!(report.old_lines, 0, "{system}");
    }
}

#[test]
fn client_program_reports_in_one_line() {
    let arguments: Vec<_> = ["raw-loop".to_owned()].into_iter().chain(PACE.arguments()).collect();
    let mut server = Child::start(Path::new(env!("CARGO_BIN_EXE_load-servers")), None, &arguments);
    let addr = server.address(SOON).unwrap().to_string();
    let arguments = [&addr, "/,/another", "50", "--lines-each", "64", "--seconds", "60"];
    let mut client = Child::start(Path::new(env!("CARGO_BIN_EXE_load-client")), None, &arguments);
    assert_eq!(client.line(SOON).as_deref(), Some("ready"));
    server.tell("go");
    assert_eq!(client.line(SOON).as_deref(), Some("delivered"));
    // It has not ended, but the rest does not matter.
    client.hang_up();
    let report: Report = serde_json::from_str(&client.line(SOON).unwrap()).unwrap();
    assert_eq!((report.connected, report.lines, report.ended), (50, 50 * PACE.lines(), 0), "{report:?}");
}

pub(crate) fn ours(way: &str, folder: &TempDir) -> Child {
    let folder = folder.path().to_str().unwrap();
    Child::start(Path::new(env!("CARGO_BIN_EXE_load-ours")), None, &[way, folder])
}
