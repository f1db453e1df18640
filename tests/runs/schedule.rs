//! Schedules: each time starts one run, and missed times start none.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use process_runtime::prelude::*;
use process_runtime::store::sqlite::{SqliteStore, Synchronous};
use process_runtime::store::{Control, RunFilter, StartOptions, Store as _};
use process_runtime::{BuildError, Builder, Process, Processes, Run, StartError, registry::Registry};
use process_tests::Server;
use process_tests::fixtures::{Choose, SaysNothing, Wait};
use process_tests::server::json;
use serde_json::Value;
use tempfile::TempDir;
use tokio::time::sleep;

/// Registered in this program, where no other test may see a scheduled start: so once a year.
#[process(title = "Wishing a happy new year", schedule = "0 0 1 1 *")]
async fn wishes(#[field(default = "Happy new year")] text: String) {
    log(text);
}

/// A process with another schedule than it was declared with.
fn scheduled(process: &'static Process, schedule: &'static str) -> &'static Process {
    Box::leak(Box::new(Process { schedule: Some(schedule), ..*process }))
}

fn every_second(process: &'static Process) -> Builder {
    let registry = Registry::of([scheduled(process, "* * * * * *")]).unwrap();
    process_runtime::builder().registry(registry)
}

/// The number of whole seconds since then: this many starts were due, however slow the machine is.
fn seconds_since(began: Timestamp) -> usize {
    usize::try_from(Timestamp::now().as_second() - began.as_second()).unwrap()
}

async fn runs(processes: &Processes) -> Vec<Run> {
    let filter = RunFilter::default().limit(1_000);
    processes.store().runs(filter).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn schedule_starts_each_time_once() {
    let (folder, began) = (TempDir::new().unwrap(), Timestamp::now());
    let processes = every_second(SaysNothing::PROCESS).data_dir(folder.path()).build().unwrap();
    sleep(Duration::from_millis(3_500)).await;
    processes.shut_down();
    // One may be in progress.
    sleep(Duration::from_millis(500)).await;
    let started = runs(&processes).await;
    assert!((2..=seconds_since(began)).contains(&started.len()), "{} runs", started.len());
    assert!(started.iter().all(|run| run.actor.as_deref() == Some("schedule")));
    sleep(Duration::from_millis(1_500)).await;
    assert_eq!(runs(&processes).await.len(), started.len(), "it was shut down");
}

#[tokio::test(flavor = "multi_thread")]
async fn client_cannot_use_schedule_idempotency_key() {
    let registry = Registry::of([scheduled(SaysNothing::PROCESS, "* * * * * *"), Wait::PROCESS]).unwrap();
    let server = Server::built(TempDir::new().unwrap(), "", |builder| builder.registry(registry)).await;
    let began = Timestamp::now().as_second();
    // Every possible spelling of the key, for each of the next times.
    for second in began..began + 30 {
        let at = Timestamp::from_second(second).unwrap();
        for key in [format!("schedule/{at}"), format!("schedule {at}")] {
            let start = server.post("/says-nothing/start").header("idempotency-key", &key);
            assert_eq!(start.send().await.unwrap().status(), 201, "{key}");
        }
        let inner = format!("\u{1}schedule {at}");
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("idempotency-key", &inner)
            .finish();
        let form = server.post("/says-nothing/start").body(form);
        let form = form.header("content-type", "application/x-www-form-urlencoded").send().await.unwrap();
        assert_eq!(form.status(), 400, "{inner:?}");
        let code = Wait::start(&server.processes, ()).idempotency_key(&inner).await;
        assert!(matches!(code, Err(StartError::IdempotencyKey)), "{code:?}");
    }
    let scheduled = async || {
        let all = runs(&server.processes).await;
        all.into_iter().filter(|run| run.actor.as_deref() == Some("schedule")).count()
    };
    let deadline = Instant::now() + Duration::from_secs(25);
    while scheduled().await < 2 {
        assert!(Instant::now() < deadline, "the schedule's runs have not come");
        sleep(Duration::from_millis(50)).await;
    }
    assert!(scheduled().await <= 1 + usize::try_from(Timestamp::now().as_second() - began).unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_node_starts_a_schedule() {
    let folder = TempDir::new().unwrap();
    let store = Arc::new(SqliteStore::open(folder.path(), Synchronous::Normal).unwrap());
    let data: Vec<_> = (0..4).map(|_| TempDir::new().unwrap()).collect();
    let node = |data: &TempDir| {
        let store: Arc<dyn process_runtime::store::Store> = Arc::clone(&store) as _;
        every_second(SaysNothing::PROCESS).data_dir(data.path()).store(store).build().unwrap()
    };
    let began = Timestamp::now();
    let nodes: Vec<_> = data.iter().map(node).collect();
    sleep(Duration::from_millis(3_500)).await;
    nodes.iter().for_each(Processes::shut_down);
    let started = runs(&nodes[0]).await;
    assert!((2..=seconds_since(began)).contains(&started.len()), "{} runs", started.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn missed_schedules_are_not_made_up() {
    let folder = TempDir::new().unwrap();
    let store = Arc::new(SqliteStore::open(folder.path(), Synchronous::Normal).unwrap());
    let node = |builder: Builder| {
        let store: Arc<dyn process_runtime::store::Store> = Arc::clone(&store) as _;
        builder.data_dir(folder.path()).store(store).build().unwrap()
    };
    let first = node(every_second(SaysNothing::PROCESS));
    sleep(Duration::from_millis(1_500)).await;
    first.drain(Duration::from_secs(1)).await;
    drop(first);
    let stopped = Timestamp::now();
    let idle = node(every_second(SaysNothing::PROCESS).run_schedules(false));
    sleep(Duration::from_millis(2_500)).await;
    let before = runs(&idle).await;
    assert!(before.iter().all(|run| run.created_at <= stopped), "it was to start none");
    drop(idle);
    let again = Timestamp::now();
    let second = node(every_second(SaysNothing::PROCESS));
    sleep(Duration::from_millis(1_500)).await;
    second.shut_down();
    let all = runs(&second).await;
    let new: Vec<_> = all.iter().filter(|run| run.created_at >= again).cloned().collect();
    assert_eq!(all.len(), before.len() + new.len());
    assert!((1..=seconds_since(again)).contains(&new.len()), "{new:?}");
}

/// Takes longer than the interval between two starts.
#[process(title = "Taking its time", exclusive)]
async fn takes_its_time() {
    sleep(Duration::from_millis(2_200)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn schedule_skips_running_exclusive_process() {
    let (folder, began) = (TempDir::new().unwrap(), Timestamp::now());
    let processes = every_second(TakesItsTime::PROCESS).data_dir(folder.path()).build().unwrap();
    sleep(Duration::from_millis(4_000)).await;
    processes.shut_down();
    let started = runs(&processes).await;
    // Each takes more than two intervals.
    assert!((1..=1 + seconds_since(began) / 2).contains(&started.len()), "{started:?}");
}

#[tokio::test]
async fn invalid_schedule_fails_the_build() {
    let registry = Registry::of([
        scheduled(Choose::PROCESS, "0 3 * * *"),
        scheduled(SaysNothing::PROCESS, "0 0 30 2 *"),
        Wishes::PROCESS,
    ]);
    let folder = TempDir::new().unwrap();
    let error =
        process_runtime::builder().registry(registry.unwrap()).data_dir(folder.path()).build().unwrap_err();
    assert!(matches!(error, BuildError::Schedules(_)), "{error}");
    let text = error.to_string();
    for part in [
        "Choose at ",
        "`0 3 * * *`: percent: This field is required",
        "SaysNothing at ",
        "never matches a date",
        "default =",
    ] {
        assert!(text.contains(part), "{part} is missing in:\n{text}");
    }
    assert!(!text.contains("Wishes"), "{text}");
    assert_eq!(folder.path().read_dir().unwrap().count(), 0, "nothing was opened");
}

#[tokio::test]
async fn index_shows_next_scheduled_run() {
    let registry = Registry::of([Wishes::PROCESS, Wait::PROCESS]).unwrap();
    let server = Server::built(TempDir::new().unwrap(), "", |builder| builder.registry(registry)).await;
    let index = json(server.get("/").header("accept", "application/json").send().await.unwrap()).await;
    let [wait, wishes] = &index["processes"].as_array().unwrap()[..] else { panic!("{index}") };
    assert_eq!((&wait["schedule"], &wait["next_run_at"]), (&Value::Null, &Value::Null));
    assert_eq!(wishes["schedule"], "0 0 1 1 *");
    let next: Timestamp = wishes["next_run_at"].as_str().unwrap().parse().unwrap();
    assert!(next > Timestamp::now() && next.to_string().ends_with("-01-01T00:00:00Z"), "{next}");
    assert_eq!(Wishes::PROCESS.next_run_after(next).map(|later| later > next), Some(true));
}

/// Takes much longer than the interval between two starts, and is not exclusive.
#[process(title = "Taking a minute")]
async fn takes_a_minute() {
    sleep(Duration::from_secs(60)).await;
}

/// The page of a process, as a browser gets it.
async fn page_of(processes: &Processes, route: &str) -> String {
    use tower::ServiceExt as _;

    let request =
        axum::http::Request::builder().uri(format!("/{route}/show_progress")).header("host", "localhost");
    let request = request.header("accept", "text/html").body(axum::body::Body::empty()).unwrap();
    let response = processes.router::<()>().oneshot(request).await.unwrap();
    let bytes = axum::body::to_bytes(response.into_body(), 1_000_000).await.unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn overlapping_schedule_is_skipped_and_said() {
    let folder = TempDir::new().unwrap();
    let processes = every_second(TakesAMinute::PROCESS).data_dir(folder.path()).build().unwrap();
    sleep(Duration::from_millis(4_500)).await;
    let page = page_of(&processes, "takes-a-minute").await;
    assert_eq!(runs(&processes).await.len(), 1, "they would pile up");
    assert!(page.contains("in a row were skipped, because a scheduled run was still active"), "{page}");
    processes.shut_down();
}

#[tokio::test(flavor = "multi_thread")]
async fn missed_schedule_is_said() {
    let folder = TempDir::new().unwrap();
    let store = Arc::new(SqliteStore::open(folder.path(), Synchronous::Normal).unwrap());
    let mut run = process_tests::conformance::run_of("says-nothing");
    (run.created_at, run.actor) = (Timestamp::now() - Duration::from_secs(600), Some("schedule".into()));
    let run = store.start(run, StartOptions::default()).await.unwrap().run;
    store.control(run.id, Control::Cancel).await.unwrap();
    let build = |schedule| {
        let store: Arc<dyn process_runtime::store::Store> = Arc::clone(&store) as _;
        let registry = Registry::of([scheduled(SaysNothing::PROCESS, schedule)]).unwrap();
        process_runtime::builder().registry(registry).data_dir(folder.path()).store(store).build().unwrap()
    };
    // The run ended just now, so the starts of every minute before that were skipped, not missed.
    let minutely = build("* * * * *");
    sleep(Duration::from_millis(500)).await;
    assert!(!page_of(&minutely, "says-nothing").await.contains("was missed"));
    minutely.shut_down();
}
