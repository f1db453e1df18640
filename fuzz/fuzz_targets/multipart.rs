//! The fuzzer of bodies as forms with files send them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use process_tests::raw::{MULTIPART, Raw, fuzz};

thread_local!(static RAW: Raw = Raw::new());

fuzz_target!(|data: &[u8]| RAW.with(|raw| fuzz(raw, MULTIPART, data)));
