//! Fuzzes headers: Accept, languages, cookies, entity tags, forwarded hosts.
#![no_main]

use libfuzzer_sys::fuzz_target;
use process_tests::raw::Raw;
use process_tests::strange::{Part, ask};

thread_local!(static RAW: Raw = Raw::new());

fuzz_target!(|data: &[u8]| drop(RAW.with(|raw| ask(raw, Part::Headers, data))));
