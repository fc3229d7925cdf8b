//! Every mistake a schema can hold has a directory in `tests/fixtures/schema`: the schema's files
//! (`*.graphql`), the upstreams there are (`upstreams`, a name a line; `form` behind it where bodies
//! are forms) and the whole text that `onedoor check` prints (`expected.txt`).
//! `UPDATE_EXPECT=1 cargo test --test schema_diagnostics` writes the expected texts anew.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use onedoor::config::{BodyFormat, ServiceName, Sources};
use onedoor::schema::{self, Defaults};

#[test]
fn every_mistake_is_told_as_its_fixture_says() -> Result<(), Box<dyn Error>> {
    let mut differences = String::new();
    let directories = directories(&fixtures());
    assert!(!directories.is_empty(), "there are fixtures");
    for directory in directories {
        let found = diagnose(&directory)?;
        let expected_file = directory.join("expected.txt");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(&expected_file, &found)?;
            continue;
        }
        let expected = fs::read_to_string(&expected_file).unwrap_or_default();
        if found != expected {
            let name = directory.display().to_string();
            let diff = similar::TextDiff::from_lines(&expected, &found);
            differences += &diff.unified_diff().header(&name, "found").to_string();
        }
    }
    assert!(differences.is_empty(), "{differences}");
    Ok(())
}

#[test]
fn ten_mistakes_in_several_files_are_told_at_once() -> Result<(), Box<dyn Error>> {
    let found = diagnose(&fixtures().join("ten_mistakes"))?;
    assert_eq!(found.lines().last(), Some("10 errors"), "{found}");
    Ok(())
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/schema")
}

/// What the schema of a directory is told.
fn diagnose(directory: &Path) -> Result<String, Box<dyn Error>> {
    let mut sources = Sources::default();
    for file in files(directory, "graphql") {
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        sources.add(name, fs::read_to_string(&file)?);
    }
    let mut upstreams = BTreeMap::new();
    for line in fs::read_to_string(directory.join("upstreams"))?.lines() {
        let (name, format) = match line.strip_suffix(" form") {
            Some(name) => (name, BodyFormat::Form),
            None => (line, BodyFormat::Json),
        };
        let defaults = Defaults { body: format, ..Defaults::default() };
        upstreams.insert(name.parse::<ServiceName>()?, defaults);
    }
    let env = |name: &str| (name == "REGION").then(|| "eu".to_owned());
    let (catalog, problems) = schema::load(sources, &upstreams, &env);
    if catalog.is_some() == problems.has_errors() {
        return Err("there is a catalog if, and only if, there is no error".into());
    }
    Ok(problems.render(false))
}

fn directories(root: &Path) -> Vec<PathBuf> {
    entries(root).into_iter().filter(|path| path.is_dir()).collect()
}

fn files(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let is_wanted = |path: &PathBuf| path.extension().is_some_and(|found| found == extension);
    entries(directory).into_iter().filter(is_wanted).collect()
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.sort();
    paths
}
