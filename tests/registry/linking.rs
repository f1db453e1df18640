//! What must be named in code so that a library's processes are found, in debug and in release.

use std::path::Path;
use std::process::Command;

fn routes(program: &str, profile: &str) -> Vec<String> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(workspace).args(["run", "--quiet", "-p", "linking-app", "--bin", program]);
    // What a library brings along is linked or dropped however fast it is, and compiled a good deal sooner.
    cargo.args(["--profile", profile, "--config", "profile.release.package.'*'.opt-level=0"]);
    let output = cargo.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

const ALL: [&str; 4] = ["at-end-of-chain", "in-binary", "in-library", "nested/in-nested-module"];

#[test]
fn a_library_that_is_named_keeps_its_processes_in_debug_and_release() {
    assert_eq!(routes("names-its-jobs", "dev"), ALL);
    assert_eq!(routes("names-its-jobs", "release"), ALL);
}

#[test]
fn a_library_that_nobody_names_is_dropped_in_debug_and_release() {
    assert_eq!(routes("forgets-its-jobs", "dev"), ["in-binary"]);
    assert_eq!(routes("forgets-its-jobs", "release"), ["in-binary"]);
}
