//! What must be named in code so that a library's processes are found, in debug and in release.

use std::path::Path;
use std::process::{Command, Output};

/// The routes that this program finds, built as one builds while developing.
fn routes(program: &str) -> Vec<String> {
    // Built with the tests, so that dependencies are compiled already.
    cargo(&["build", "--quiet", "--workspace", "--bin", program, "--test", "house", "--locked"]);
    let tests = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    lines(&Command::new(tests.join("debug").join(program)).output().unwrap())
}

/// The same as a release build.
fn routes_in_release(program: &str) -> Vec<String> {
    // Optimized dependencies are not needed, and compile more slowly.
    let others = "profile.release.package.'*'.opt-level=0";
    let ours = "profile.release.package.process-runtime.opt-level=0";
    let settings = ["--release", "--locked", "--config", others, "--config", ours];
    let run = ["run", "--quiet", "-p", "linking-app", "--bin", program];
    lines(&cargo(&[&run[..], &settings].concat()))
}

fn cargo(arguments: &[&str]) -> Output {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let output = Command::new(env!("CARGO")).current_dir(workspace).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output
}

fn lines(output: &Output) -> Vec<String> {
    String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
}

const ALL: [&str; 4] = ["at-end-of-chain", "in-binary", "in-library", "nested/in-nested-module"];

#[test]
fn named_library_keeps_its_processes() {
    assert_eq!(routes("names-its-jobs"), ALL);
    assert_eq!(routes_in_release("names-its-jobs"), ALL);
}

#[test]
fn unnamed_library_is_dropped() {
    assert_eq!(routes("forgets-its-jobs"), ["in-binary"]);
    assert_eq!(routes_in_release("forgets-its-jobs"), ["in-binary"]);
}
