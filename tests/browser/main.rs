//! Runs the browser tests if requested, and otherwise reports that they are skipped.

use std::env;
use std::error::Error;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

/// The tests run only where this is set: they need Node, npm and a Chromium.
const WANTED: &str = "PROCESS_BROWSER";
/// Its value where they run at the same time, in a `cargo test` of their own.
const ELSEWHERE: &str = "elsewhere";
/// Where Chromium is, if not under one of its names on the `PATH`.
const CHROMIUM: &str = "PROCESS_CHROMIUM";
const CHROMIUM_NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// The oldest Node that has all the tests use.
const NODE: u32 = 18;

/// A server with the fixtures.
const CHILD: &str = env!("CARGO_BIN_EXE_crash-child");

fn main() -> ExitCode {
    // There are no tests here that a harness could list.
    if env::args().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    let told = match env::var_os(WANTED) {
        None => format!("The browser tests were left out: `tests/run` runs them, or {WANTED}=1 here."),
        Some(wanted) if wanted == ELSEWHERE => "The browser tests run beside these.".to_owned(),
        Some(_) => return tested(),
    };
    if writeln!(io::stdout(), "{told}").is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn tested() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // If nobody reads this, the exit code still reports the failure.
            let _ = writeln!(io::stderr(), "The browser tests: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
    check_node()?;
    let chromium = chromium()?;
    install(&folder)?;
    let examples = examples()?;
    let mut tests = Vec::new();
    for entry in folder.read_dir()? {
        let name = entry?.file_name();
        if name.to_string_lossy().ends_with(".test.mjs") {
            tests.push(name);
        }
    }
    tests.sort();
    let mut node = Command::new("node");
    // They wait more than they work: two files at a time also where there are two cores.
    node.args(["--test", "--test-reporter=spec", "--test-concurrency=2"]).args(tests).current_dir(folder);
    node.env(CHROMIUM, chromium).env("PROCESS_EXAMPLES_BIN", examples).env("PROCESS_CHILD_BIN", CHILD);
    succeed(&mut node, "some of them failed")
}

fn succeed(command: &mut Command, otherwise: &str) -> Result<(), Box<dyn Error>> {
    let status =
        command.status().map_err(|error| format!("{}: {error}", command.get_program().to_string_lossy()))?;
    if status.success() { Ok(()) } else { Err(otherwise.into()) }
}

fn check_node() -> Result<(), Box<dyn Error>> {
    let wanted = format!("they need Node {NODE} or newer on the PATH");
    let output =
        Command::new("node").arg("--version").output().map_err(|error| format!("{wanted}: {error}"))?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    if major.is_some_and(|major| major >= NODE) {
        Ok(())
    } else {
        Err(format!("{wanted}, not {version}").into())
    }
}

fn chromium() -> Result<PathBuf, Box<dyn Error>> {
    if let Some(path) = env::var_os(CHROMIUM) {
        return Ok(path.into());
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    let mut all = CHROMIUM_NAMES.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    all.find(|path| path.is_file())
        .ok_or_else(|| format!("they need {} on the PATH, or {CHROMIUM}", CHROMIUM_NAMES.join(" or ")).into())
}

/// Installs what `package-lock.json` names, unless that has been done since it was last changed.
fn install(folder: &Path) -> Result<(), Box<dyn Error>> {
    let changed = folder.join("package-lock.json").metadata()?.modified()?;
    let installed =
        folder.join("node_modules/.package-lock.json").metadata().and_then(|file| file.modified());
    if installed.is_ok_and(|installed| installed >= changed) {
        return Ok(());
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund"]).current_dir(folder);
    succeed(&mut npm, "`npm ci` failed")
}

/// The server with the examples, built from the current sources.
fn examples() -> Result<PathBuf, Box<dyn Error>> {
    let child = Path::new(CHILD);
    let profile_folder = child.parent().ok_or("the target folder is not known")?;
    let target = profile_folder.parent().ok_or("the target folder is not known")?;
    // The profile `dev` has the folder `debug`; all others have their own name.
    let profile = profile_folder.file_name().filter(|name| *name != "debug").unwrap_or("dev".as_ref());
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
    cargo.args(["build", "--quiet", "-p", "process-examples", "--bin", "process-examples"]);
    cargo.arg("--profile").arg(profile).arg("--target-dir").arg(target);
    cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
    succeed(&mut cargo, "the examples could not be built")?;
    Ok(profile_folder.join(format!("process-examples{}", env::consts::EXE_SUFFIX)))
}
