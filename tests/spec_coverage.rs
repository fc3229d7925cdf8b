//! No part of the language and no error code without a document that shows it: the two lists
//! `tests/spec/coverage-*.md` are held against the directives, the codes and the documents.
//!
//! A list is Markdown tables: the first cell says what, the second names a file in backticks, a
//! document beside the list or another test file.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a list that cannot be read is a failed test"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use onedoor::failure::Code;
use onedoor::schema::directives_sdl;

const LANGUAGE: &str = "coverage-language.md";
const BEHAVIOUR: &str = "coverage-behaviour.md";
/// What the description of a directive, or of its argument, begins with while it does nothing.
const NOT_YET: &str = "Does not work yet";

/// A row of a list: what is shown, and where.
#[derive(Clone)]
struct Row {
    what: String,
    file: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spec")
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The rows of all tables of a list. What does not exist yet names no file and is no row.
fn rows(list: &str) -> Vec<Row> {
    let text = read(&folder().join(list));
    let row = |line: &str| {
        let mut cells = line.strip_prefix('|')?.split('|').map(str::trim);
        let what = cells.next()?.to_owned();
        let file = cells.next()?.strip_prefix('`')?.strip_suffix('`')?.to_owned();
        Some(Row { what, file })
    };
    let rows: Vec<Row> = text.lines().filter_map(row).collect();
    assert!(!rows.is_empty(), "{list} has no rows");
    rows
}

/// The only row of this thing.
fn row_of<'a>(rows: &'a [Row], list: &str, what: &str) -> &'a Row {
    let found: Vec<&Row> = rows.iter().filter(|row| row.what == format!("`{what}`")).collect();
    match found.as_slice() {
        [one] => one,
        [] => panic!("{list} has no row for `{what}`: which document shows it?"),
        _ => panic!("{list} has {} rows for `{what}`", found.len()),
    }
}

/// Where a file named in a list is: a document, or a test by its path from the root.
fn located(file: &str) -> PathBuf {
    match file.starts_with("tests/") {
        true => Path::new(env!("CARGO_MANIFEST_DIR")).join(file),
        false => folder().join(file),
    }
}

/// Every document's file name.
fn documents() -> BTreeSet<String> {
    let entries = fs::read_dir(folder()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with(|c: char| c.is_ascii_digit())).collect()
}

/// Names in backticks anywhere in a text that look like documents.
fn documents_named(text: &str) -> BTreeSet<String> {
    let named = text.split('`').skip(1).step_by(2);
    let document = |name: &&str| {
        name.starts_with(|c: char| c.is_ascii_digit())
            && Path::new(name).extension().is_some_and(|extension| extension == "md")
    };
    named.filter(document).map(str::to_owned).collect()
}

/// What a schema author can write: what a row is called, and the text that a document has of it.
/// By hand, as the definitions are one file of one form.
fn arguments() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut owner: Option<String> = None;
    let mut works = true;
    let mut argument_works = true;
    let mut in_description = false;
    for line in directives_sdl().lines() {
        if line.trim() == "\"\"\"" {
            in_description = !in_description;
            continue;
        }
        if in_description {
            continue;
        }
        if let Some(description) = line.strip_prefix('"') {
            works = !description.starts_with(NOT_YET);
        } else if let Some(description) = line.trim_start().strip_prefix('"') {
            argument_works = !description.starts_with(NOT_YET);
        } else if let Some(rest) = line.strip_prefix("directive @") {
            let end = rest.find(['(', ' ']).unwrap();
            let name = format!("@{}", &rest[..end]);
            if works && !rest[end..].starts_with('(') {
                found.insert(name.clone(), name.clone());
            }
            owner = works.then_some(name);
            works = true;
        } else if let Some(rest) = line.strip_prefix("input ") {
            owner = Some(rest.trim_end_matches(" {").to_owned());
        } else if line.starts_with("enum ") || line.starts_with([')', '}']) {
            owner = None;
            works = true;
        } else if let (Some(owner), Some((name, _))) = (&owner, line.trim().split_once(": "))
            && name.chars().all(|c| c.is_ascii_alphanumeric())
        {
            let what = match owner.starts_with('@') {
                true => format!("{owner}({name}:)"),
                false => format!("{owner}.{name}:"),
            };
            if std::mem::replace(&mut argument_works, true) {
                found.insert(what, format!("{name}:"));
            }
        }
    }
    found
}

/// The text of a document's schema blocks, where arguments of directives are.
fn schema_blocks(text: &str) -> String {
    let blocks = text.split("```graphql schema").skip(1);
    blocks.filter_map(|block| block.split("\n```").next()).collect()
}

#[test]
fn every_argument_of_a_directive_that_works_has_a_document_that_uses_it() {
    let arguments = arguments();
    // Were the definitions read wrongly, there would be fewer.
    assert!(arguments.len() >= 25, "read only {:?}", arguments.keys());
    let rows = rows(LANGUAGE);
    for (what, written) in &arguments {
        let row = row_of(&rows, LANGUAGE, what);
        let schema = schema_blocks(&read(&located(&row.file)));
        let directive = what.split(['(', '.']).next().unwrap_or_default();
        assert!(schema.contains(written.as_str()), "{} has no `{written}` in a schema", row.file);
        assert!(
            !directive.starts_with('@') || schema.contains(directive),
            "{} has no {directive}",
            row.file
        );
    }
    let starts = |row: &&Row| row.what.starts_with("`@") || row.what.starts_with("`Onedoor");
    for row in rows.iter().filter(starts) {
        let known = arguments.contains_key(row.what.trim_matches('`'));
        assert!(known, "{LANGUAGE} lists {}, which is no argument that works", row.what);
    }
}

#[test]
fn every_error_code_has_a_test_that_shows_it() {
    let rows = rows(BEHAVIOUR);
    for code in Code::ALL {
        let row = row_of(&rows, BEHAVIOUR, code.as_str());
        let text = read(&located(&row.file));
        assert!(text.contains(code.as_str()), "{} does not say {code}", row.file);
    }
}

#[test]
fn every_file_that_a_list_names_exists() {
    for list in [LANGUAGE, BEHAVIOUR] {
        for row in rows(list) {
            assert!(located(&row.file).is_file(), "{list}: no `{}` ({})", row.file, row.what);
        }
        for document in documents_named(&read(&folder().join(list))) {
            assert!(located(&document).is_file(), "{list}: no `{document}`");
        }
    }
}

#[test]
fn a_row_whose_words_stand_in_a_template_names_a_document_that_has_them() {
    for row in rows(LANGUAGE) {
        let Some(template) = row.what.split('`').find(|part| part.starts_with('{')) else {
            continue;
        };
        // `{this.x}` is any name, `{args.list:,}` any list.
        let written = template.trim_end_matches("x}").trim_end_matches("X}");
        let written = written.strip_suffix("list:,}").unwrap_or(written);
        let text = read(&located(&row.file));
        assert!(text.contains(written), "{} has no `{written}` ({})", row.file, row.what);
    }
}

#[test]
fn every_document_is_in_a_list() {
    let lists = [LANGUAGE, BEHAVIOUR].map(|list| read(&folder().join(list)));
    let named: BTreeSet<String> = lists.iter().flat_map(|list| documents_named(list)).collect();
    let missing: Vec<String> = documents().difference(&named).cloned().collect();
    assert!(missing.is_empty(), "no list names {missing:?}");
}
