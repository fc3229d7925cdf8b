//! The mistakes of a whole project, of settings, upstreams and schema at once, as `onedoor check`
//! shows them. `UPDATE_EXPECT=1` rewrites the expected text.

use std::fs;
use std::path::Path;
use std::process::Command;

#[test]
fn every_mistake_of_every_file_is_told_in_one_run() {
    let root = Path::new("tests/fixtures/project/mistakes_everywhere");
    let mut check = Command::new(env!("CARGO_BIN_EXE_onedoor"));
    let output = check.arg("check").arg("--root").arg(root).output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]));
    let told = String::from_utf8(output.stderr).unwrap();
    let expected = root.join("expected.txt");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&expected, &told).unwrap();
    }
    assert_eq!(told, fs::read_to_string(&expected).unwrap());
    assert!(told.trim_end().ends_with("13 errors"));
}
