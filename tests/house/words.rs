//! Names that were replaced by the field's usual ones, so that they do not come back.

use std::fs;

use super::{root, sources};

/// A name that is gone, and its replacement.
const GONE: [(&str, &str); 26] = [
    ("Refuses to know", "what the file is for"),
    ("open_to_everyone", "allow_anonymous"),
    ("Denied::hidden", "Denied::not_found"),
    ("recheck_access", "reauthorize_every"),
    ("keep_runs", "retain_last"),
    ("keep_for(", "retain_for("),
    ("shared_state", "state_arc"),
    ("StartupError", "BuildError"),
    ("calls_outside_a_run", "orphaned_calls"),
    ("Claimable", "ClaimTarget"),
    ("Control::Kill", "Control::ForceCancel"),
    ("has_said_who_may", "has_access_policy"),
    ("ends_or_steers", "is_control_or_bidi"),
    ("keep_house", "run_maintenance"),
    ("?bar=", "?progress="),
    ("What is promised", "what the file tests"),
    ("to be believed", "damaged, or not trusted"),
    ("without a word", "silently"),
    ("nobody's", "hidden, or not owned"),
    ("begun anew", "restarted, or replaced"),
    ("begins anew", "restarts"),
    ("whoever has", "anyone with"),
    ("nobody has said", "no access policy is set"),
    ("may be told", "can be sent"),
    ("no fault of", "not a server error"),
    ("so many bytes", "this many bytes"),
];

#[test]
fn gone_words_stay_gone() {
    let mut files = Vec::new();
    for folder in ["process-runtime", "process-macros", "examples", "tests"] {
        files.extend(sources(folder));
    }
    let pages = ["", "docs", "docs/guide", "tests"].map(|folder| fs::read_dir(root().join(folder)).unwrap());
    for entry in pages.into_iter().flatten() {
        let path = entry.unwrap().path();
        // The changelog may mention earlier names.
        if path.extension().is_some_and(|extension| extension == "md") && !path.ends_with("CHANGELOG.md") {
            files.push((path.clone(), fs::read_to_string(&path).unwrap()));
        }
    }
    let files = files.into_iter().filter(|(path, _)| !path.ends_with("house/words.rs"));
    let found: Vec<_> = files
        .flat_map(|(path, text)| {
            let gone = GONE.iter().filter(move |(gone, _)| text.contains(gone));
            gone.map(move |(gone, instead)| format!("{}: {gone:?}, now {instead}", path.display()))
        })
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The word of somebody who searches, and the file that does it.
const FOUND_IN: [(&str, &str); 6] = [
    ("upload limit", "src/web/request/body.rs"),
    ("idempotency", "src/store/sqlite/changes.rs"),
    ("heartbeat", "src/runner/lease.rs"),
    ("renew", "src/runner/lease.rs"),
    ("lease", "src/runner/lease.rs"),
    ("reconnect", "assets/hub.js"),
];

#[test]
fn usual_words_lead_to_the_code() {
    for (word, path) in FOUND_IN {
        let text = fs::read_to_string(root().join("process-runtime").join(path)).unwrap();
        let head = text.lines().take_while(|line| line.starts_with("//")).collect::<Vec<_>>().join(" ");
        assert!(head.to_lowercase().contains(word), "the head of {path} does not say {word:?}");
    }
}
