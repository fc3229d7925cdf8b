//! What the fuzz targets of `soak/fuzz` begin with and have found, once more. The target `answers` has
//! its own in the oracle test.

mod bodies;
mod documents;

use std::fs;
use std::path::Path;

/// Runs the inputs in a folder. There must be some.
fn replay(folder: &str, check: impl Fn(Vec<u8>)) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = fs::read_dir(path).expect("inputs").map(|file| file.expect("a file").path());
    let count = files.map(|file| check(fs::read(file).expect("an input"))).count();
    assert!(count > 5, "{count} inputs in {folder}");
}

#[test]
fn bodies_are_read_as_serde_json_reads_them() {
    replay("soak/fuzz/seeds/bodies", |text| bodies::check(&text));
}

#[test]
fn documents_are_refused_or_answered() {
    for folder in ["soak/fuzz/seeds/documents", "examples/queries"] {
        replay(folder, |document| documents::check(&String::from_utf8_lossy(&document)));
    }
}
