//! GraphQL to the letter: what the specification's sections 5 and 6 say, rule by rule, compared
//! with graphql-js. `README.md` beside this file says how.

mod cases;
mod gateway;
mod outcome;
mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use crate::cases::{Case, File};
use crate::gateway::Ours;
use crate::outcome::Outcome;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/conformance")
}

/// The cases of `DIFFERENCES.md`, `file: title`, with the reason.
fn differences() -> BTreeMap<String, String> {
    let text = fs::read_to_string(folder().join("DIFFERENCES.md")).expect("a list of differences");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| ")).skip(2);
    let rows = rows.filter_map(|row| row.trim_end_matches(" |").split_once(" | "));
    rows.map(|(case, reason)| (case.to_owned(), reason.to_owned())).collect()
}

/// How one case differs from what is expected of it, if it does.
fn difference(file: &File, case: &Case, ours: &Ours) -> Option<String> {
    let expected = match file.expected(case) {
        Ok(expected) => expected,
        Err(why) => return Some(why),
    };
    let found = match case.root() {
        Some(root) => Outcome::executed(&ours.execute(case, root)),
        None => Outcome::validated(&ours.validate(case, true)),
    };
    (!found.is(&expected))
        .then(|| format!("expected {expected}\n   found {found}\n   {}", found.told))
}

#[test]
fn every_case_is_answered_as_by_the_reference_implementation() {
    let known = differences();
    let mut unseen: BTreeSet<_> = known.keys().cloned().collect();
    let mut wrong = Vec::new();
    for file in File::all() {
        let ours = Ours::new(&file.schema);
        for case in &file.cases {
            let name = format!("{}: {}", file.name, case.title);
            unseen.remove(&name);
            match (difference(&file, case, &ours), known.contains_key(&name)) {
                (Some(difference), false) => wrong.push(format!("{name}\n   {difference}")),
                (None, true) => wrong.push(format!("{name}\n   no longer differs")),
                _ => {}
            }
        }
        let gone = file.without_a_case().into_iter();
        wrong.extend(gone.map(|title| format!("{}: {title}\n   there is no such case", file.name)));
    }
    wrong.extend(unseen.iter().map(|name| format!("{name}\n   there is no such case to differ")));
    assert!(wrong.is_empty(), "{} cases:\n{}", wrong.len(), wrong.join("\n"));
}

/// The gateway of the executed cases suggests nothing, as one that serves does.
#[test]
fn no_name_of_the_schema_is_suggested_where_suggestions_are_off() {
    let suggests = |told: &str| told.to_lowercase().contains("did you mean");
    let mut suggested = BTreeSet::new();
    let mut leaks = Vec::new();
    for file in File::all() {
        let ours = Ours::new(&file.schema);
        for case in &file.cases {
            let told = |suggestions| Outcome::validated(&ours.validate(case, suggestions)).told;
            if suggests(&told(true)) {
                suggested.insert(case.rule().0.to_owned());
            }
            let executed = case.root().map(|root| Outcome::executed(&ours.execute(case, root)));
            if suggests(&told(false)) || executed.is_some_and(|it| suggests(&it.told)) {
                leaks.push(format!("{}: {}", file.name, case.title));
            }
        }
    }
    let of_rules = ["5.3.1", "5.4.1", "5.5.1.2", "5.6.1", "5.6.2", "5.7.1"];
    let silent: Vec<_> = of_rules.iter().filter(|rule| !suggested.contains(**rule)).collect();
    assert!(silent.is_empty(), "nothing is suggested where it may be: {silent:?}");
    assert_eq!(leaks, Vec::<String>::new());
}

#[test]
fn every_rule_and_algorithm_has_a_case_and_the_table_lists_them() {
    let files = File::all();
    let table = rules::table(&files, &differences());
    let path = folder().join("TABLE.md");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&path, &table).expect("the table can be written");
    }
    let committed = fs::read_to_string(&path).unwrap_or_default();
    assert!(committed == table, "TABLE.md is not of these cases; UPDATE_EXPECT=1 writes it");
    let streams = folder().join("../subscriptions/main.rs");
    let streams = fs::read_to_string(streams).expect("the tests of subscriptions");
    assert_eq!(rules::faults(&files, &streams), Vec::<String>::new());
}
