//! The fuzzer of bodies as programs send them, in JSON.
#![no_main]

use libfuzzer_sys::fuzz_target;
use process_tests::raw::{JSON, Raw, fuzz};

thread_local!(static RAW: Raw = Raw::new());

fuzz_target!(|data: &[u8]| RAW.with(|raw| fuzz(raw, JSON, data)));
