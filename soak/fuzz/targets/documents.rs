//! `tests/fuzz/documents.rs` over whatever texts are found to matter.

#![no_main]

#[path = "../../../tests/fuzz/documents.rs"]
mod documents;

libfuzzer_sys::fuzz_target!(|document: &str| documents::check(document));
