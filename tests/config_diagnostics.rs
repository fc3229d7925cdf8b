//! Every mistake that settings can hold, told to the letter: `tests/fixtures/config/NAME` is a
//! project, `expected.txt` in it what its user reads. `UPDATE_EXPECT=1 cargo test --test
//! config_diagnostics` writes them anew.
//!
//! A fixture's environment is in its `env.txt`, one `NAME=value` a line.

use std::fs;
use std::io;
use std::path::Path;

use onedoor::config::{Config, Env, FixedEnv, NotUtf8, ProcessEnv, SecretFile};
use similar::TextDiff;

#[test]
fn every_mistake_is_told_as_its_fixture_expects() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/config");
    let mut projects: Vec<_> =
        fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()).collect();
    projects.sort();
    assert!(projects.len() > 20, "the fixtures were not found");
    let differences: Vec<String> =
        projects.iter().filter_map(|project| compare(project).unwrap()).collect();
    assert!(
        differences.is_empty(),
        "{} of {} fixtures differ; UPDATE_EXPECT=1 accepts what is told now\n{}",
        differences.len(),
        projects.len(),
        differences.join("\n")
    );
}

/// How what is told differs from what is expected, if it does.
fn compare(project: &Path) -> io::Result<Option<String>> {
    let (config, problems) = Config::load(project, &FixtureEnv::of(project)?).finish();
    assert_eq!(config.is_none(), problems.has_errors());
    let (told, file) = (problems.render(false), project.join("expected.txt"));
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(file, told)?;
        return Ok(None);
    }
    let expected = fs::read_to_string(&file).unwrap_or_default();
    if told == expected {
        return Ok(None);
    }
    let difference = TextDiff::from_lines(&expected, &told);
    let name = file.display().to_string();
    Ok(Some(difference.unified_diff().header(&name, "told").to_string()))
}

/// Variables from `env.txt`, secret files from the disk; who may read those is not taken from the
/// disk, since a checkout does not keep it: a file is open to all if its name says so.
struct FixtureEnv(FixedEnv);

impl FixtureEnv {
    fn of(project: &Path) -> io::Result<Self> {
        let file = project.join("env.txt");
        let text = if file.exists() { fs::read_to_string(file)? } else { String::new() };
        let variables = text.lines().filter_map(|line| line.split_once('='));
        Ok(Self(
            variables.fold(FixedEnv::new(), |env, (name, value)| env.with_variable(name, value)),
        ))
    }
}

impl Env for FixtureEnv {
    fn variable(&self, name: &str) -> Result<Option<String>, NotUtf8> {
        if name == "NOT_UTF8" { Err(NotUtf8) } else { self.0.variable(name) }
    }

    fn secret_file(&self, path: &Path) -> io::Result<SecretFile> {
        let open = path.to_string_lossy().contains("world-readable");
        Ok(SecretFile { world_readable: open, ..ProcessEnv.secret_file(path)? })
    }
}
