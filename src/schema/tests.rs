//! Schemas that load, and what the catalog and the public schema make of them. What is refused
//! stands in `tests/schema_diagnostics.rs`.

use std::collections::BTreeMap;

use super::*;
use crate::config::Sources;

mod catalog;
mod language;
mod public;
mod rules;

/// Reads files with the upstreams `users`, `orders` and `payments`.
fn read(files: &[&str]) -> (Option<Catalog>, Problems) {
    let mut sources = Sources::default();
    for (n, text) in files.iter().enumerate() {
        sources.add(format!("{n}.graphql"), *text);
    }
    let upstreams = ["users", "orders", "payments"]
        .into_iter()
        .map(|name| (name.parse().expect("a service's name"), Defaults::default()));
    load(sources, &BTreeMap::from_iter(upstreams), &|_| None)
}

/// Reads a schema that has no errors.
fn catalog(files: &[&str]) -> Catalog {
    let (catalog, problems) = read(files);
    match catalog {
        Some(catalog) => catalog,
        None => panic!("{}", problems.render(false)),
    }
}

fn source<'c>(catalog: &'c Catalog, object: &str, field: &str) -> &'c Source {
    &catalog.field(object, field).expect("the field exists").source
}
