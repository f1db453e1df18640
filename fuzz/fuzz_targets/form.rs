//! The fuzzer of bodies as forms without files send them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use process_tests::raw::{FORM, Raw, fuzz};

thread_local!(static RAW: Raw = Raw::new());

fuzz_target!(|data: &[u8]| RAW.with(|raw| fuzz(raw, FORM, data)));
