//! The registry: discovery, and errors for conflicting routes. It is a separate program, because it declares
//! duplicates.
#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod linking;

use std::error::Error;

use process_runtime::prelude::*;
use process_runtime::registry::{Registry, RegistryError};
use process_runtime::{BuildError, RunStatus};
use process_tests::fixtures::Count;

mod twins {
    pub(crate) mod one {
        use process_runtime::prelude::*;
        #[process(title = "One", group = "twins", route = "same")]
        pub(crate) async fn first() {}
    }
    pub(crate) mod two {
        use process_runtime::prelude::*;
        #[process(title = "Two", group = "twins", route = "same")]
        pub(crate) async fn second() {}
    }
    pub(crate) mod three {
        use process_runtime::prelude::*;
        #[process(title = "Three", group = "twins", route = "other")]
        pub(crate) async fn third() {}
        #[process(title = "Four", group = "twins", route = "other")]
        pub(crate) async fn fourth() {}
    }
}

#[test]
fn duplicate_processes_are_all_reported() {
    let error = Registry::of([
        twins::two::Second::PROCESS,
        twins::three::Third::PROCESS,
        Count::PROCESS,
        twins::one::First::PROCESS,
        twins::three::Fourth::PROCESS,
    ]);
    let error = error.unwrap_err();
    let RegistryError::Conflicts(conflicts) = &error else { panic!("{error}") };
    let routes: Vec<_> = conflicts.iter().map(|one| (one.route(), one.processes().len())).collect();
    assert_eq!(routes, [("twins/other", 2), ("twins/same", 2)]);
    let text = error.to_string();
    for part in ["/twins/same", "First at ", "Second at ", "/twins/other", "Third at ", "Fourth at "] {
        assert!(text.contains(part), "{part} is missing in:\n{text}");
    }
    let this_file =
        |line: u32| format!("registry/main.rs:{line}").replace('/', std::path::MAIN_SEPARATOR_STR);
    assert!(text.contains(&this_file(twins::one::First::PROCESS.location.line)), "{text}");
    assert!(text.contains(&this_file(twins::two::Second::PROCESS.location.line)), "{text}");
    assert!(!text.contains("count"), "{text}");
}

#[test]
fn empty_registry_error_suggests_fix() {
    let error = Registry::of([]).unwrap_err();
    assert!(matches!(error, RegistryError::Empty));
    let text = error.to_string();
    assert!(text.contains("#[process(title") && text.contains("use my_jobs as _;"), "{text}");
}

#[test]
fn missing_state_names_type_and_process() {
    let registry = Registry::of([Count::PROCESS]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let error = process_runtime::builder().registry(registry).data_dir(folder.path()).build().unwrap_err();
    let BuildError::MissingStates(missing) = &error else { panic!("{error}") };
    assert_eq!(missing[0].type_name(), "process_tests::fixtures::Traces");
    assert_eq!(missing[0].processes()[0].name, "Count");
    let text = error.to_string();
    assert!(text.contains("State<process_tests::fixtures::Traces>"), "{text}");
    assert!(text.contains("Count at ") && text.contains(".state(value)"), "{text}");
    assert!(!text.contains("state_arc"), "{text}");
}

#[test]
fn state_in_an_arc_is_named_with_cure() {
    let registry = Registry::of([Count::PROCESS]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let traces = std::sync::Arc::new(process_tests::fixtures::Traces::default());
    let builder = process_runtime::builder().registry(registry).data_dir(folder.path()).state(traces);
    let text = builder.build().unwrap_err().to_string();
    assert!(text.contains("state(…) was given an Arc<Traces>: pass it to state_arc(…)"), "{text}");
}

#[test]
fn processes_found_in_nested_modules_sorted() {
    // The twins above are in this program too, so collecting reports them, and nothing else.
    let text = Registry::collect().unwrap_err().to_string();
    assert!(text.contains("/twins/same") && text.contains("/twins/other"), "{text}");
    assert_eq!(text.matches(" at ").count(), 4, "{text}");
}

#[test]
fn unwritable_data_folder_names_setting() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let registry = Registry::of([process_tests::fixtures::SaysNothing::PROCESS]).unwrap();
    let error = process_runtime::builder().registry(registry).data_dir(file.path()).build().unwrap_err();
    let text = error.to_string();
    assert!(text.contains("PROCESS_DATA") && text.contains(file.path().to_str().unwrap()), "{text}");
    assert_eq!(text.lines().count(), 1);
}

#[test]
fn build_error_keeps_its_source() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let folder = in_folder(file.path()).build().unwrap_err();
    let opening = folder.source().unwrap();
    assert!(opening.is::<process_runtime::store::sqlite::OpenError>(), "{opening:?}");
    assert!(opening.source().unwrap().is::<std::io::Error>(), "{opening:?}");
    assert!(folder.to_string().contains(&opening.to_string()), "{folder}");
    let language = in_folder(file.path()).language("pt", "{").build().unwrap_err();
    let catalog = language.source().unwrap();
    assert!(catalog.source().unwrap().is::<serde_json::Error>(), "{catalog:?}");
    assert!(language.to_string().contains("pt: its texts are not a JSON object: "), "{language}");
}

/// A `main` that returns an error prints its `Debug`.
#[test]
fn errors_of_main_print_their_message() {
    use process_runtime::store::sqlite::{SqliteStore, Synchronous};
    use process_runtime::store::{Cause, StoreError};
    use process_runtime::{ControlError, RunError, RunId, StartError};
    fn is_message(error: &dyn Error) {
        assert_eq!(format!("{error:?}"), error.to_string());
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    let opening = SqliteStore::open(file.path(), Synchronous::Full).err().unwrap();
    is_message(&opening);
    assert!(format!("{opening:?}").starts_with(file.path().to_str().unwrap()), "{opening:?}");
    is_message(&Registry::of([]).unwrap_err());
    is_message(&in_folder(file.path()).build().unwrap_err());
    is_message(&StartError::NotMounted);
    is_message(&ControlError::NotFound(RunId::new()));
    let store = StoreError::Unavailable(Cause::new("no answer", std::io::Error::other("no answer")));
    assert_eq!(format!("{store:?}"), "Unavailable(\"no answer\")");
    is_message(&RunError::Store(store));
}

#[test]
fn second_program_on_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let build = || {
        let registry = Registry::of([process_tests::fixtures::SaysNothing::PROCESS]).unwrap();
        process_runtime::builder().registry(registry).data_dir(folder.path()).build()
    };
    let first = build().unwrap();
    let text = build().unwrap_err().to_string();
    assert!(text.contains("another process uses this data folder"), "{text}");
    drop(first);
}

fn in_folder(folder: &std::path::Path) -> process_runtime::Builder {
    let registry = Registry::of([process_tests::fixtures::SaysNothing::PROCESS]).unwrap();
    process_runtime::builder().registry(registry).data_dir(folder)
}

#[tokio::test]
async fn async_build_opens_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    let processes = in_folder(folder.path()).build_async().await.unwrap();
    assert!(folder.path().join("runs.sqlite3").exists());
    let run = process_tests::fixtures::SaysNothing::start(&processes, ()).await.unwrap();
    assert_eq!(run.wait().await.unwrap().status, RunStatus::Succeeded);
    let refused = in_folder(folder.path()).build_async().await.unwrap_err().to_string();
    assert!(refused.contains("another process uses this data folder"), "{refused}");
}

#[tokio::test]
async fn other_tasks_run_during_async_build() {
    let folder = tempfile::tempdir().unwrap();
    // There is one thread here: with `build`, nothing else would have its turn before the end.
    let mut build = std::pin::pin!(in_folder(folder.path()).build_async());
    assert!(futures_util::poll!(&mut build).is_pending());
    let processes = build.await.unwrap();
    assert_eq!(processes.registry().iter().count(), 1);
}

#[tokio::test]
async fn dropped_async_build_frees_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    {
        let mut build = std::pin::pin!(in_folder(folder.path()).build_async());
        assert!(futures_util::poll!(&mut build).is_pending());
    }
    let again = async {
        loop {
            match in_folder(folder.path()).build_async().await {
                Ok(processes) => return processes,
                Err(error) => assert!(error.to_string().contains("another process uses"), "{error}"),
            }
            tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        }
    };
    let processes = tokio::time::timeout(std::time::Duration::from_secs(60), again).await.unwrap();
    let run = process_tests::fixtures::SaysNothing::start(&processes, ()).await.unwrap();
    assert_eq!(run.wait().await.unwrap().status, RunStatus::Succeeded);
}

#[tokio::test]
async fn async_build_without_runtime_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let build = in_folder(folder.path()).build_async();
    let built = std::thread::spawn(move || {
        let mut build = std::pin::pin!(build);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        matches!(Future::poll(build.as_mut(), &mut context), std::task::Poll::Ready(Ok(_)))
    });
    assert!(built.join().unwrap());
}
