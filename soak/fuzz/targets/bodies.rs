//! `tests/fuzz/bodies.rs` over whatever bytes are found to matter.

#![no_main]

#[path = "../../../tests/fuzz/bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|text: &[u8]| bodies::check(text));
