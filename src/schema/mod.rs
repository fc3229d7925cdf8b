//! SDL and directives -> [`Catalog`]: types, and for each field where its value comes from.
//! Knows no document and makes no request.
//!
//! [`load`] reads all files of a schema and reports every mistake at once. What it gives is checked:
//! whoever holds a [`Catalog`] need not ask again whether a type has a lookup, an argument exists or
//! a template may read what it reads.
//!
//! The order: `parse` (files to a schema, GraphQL's own rules), `values`, `builtin` and `roots`
//! (rules that validation leaves out), `wire` (names of enums and inputs), `endpoint` with `references` and `keys` (each `@rest`),
//! `fields` (each field's one source), `streams` (what sets off subscriptions), `abstracts` (discriminators), `public` (what clients see).

mod abstracts;
mod arguments;
mod builtin;
mod catalog;
mod check;
mod definitions;
mod diagnostics;
mod directives;
mod endpoint;
mod fields;
mod files;
mod keys;
mod nearest;
mod parse;
mod public;
mod references;
mod roots;
mod scalar;
mod streams;
mod syntax;
mod text;
mod values;
mod walk;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::config::{Problems, ServiceName, Sources};
use crate::template::Environment;

pub use catalog::{
    AbstractType, Batch, By, CacheControl, CacheScope, Catalog, Defaults, Endpoint, EndpointId,
    EnumType, ErrorRule, FieldType, Lookup, NotFound, ObjectType, Source, SourceStream, Then,
};
pub use definitions::directives_sdl;
pub(crate) use diagnostics::with_signs;
pub use scalar::{Number, Scalar, Text};
pub(crate) use syntax::{Incomplete, incomplete};

/// Reads a schema: all files are one. `upstreams` are the services that `@rest` may name, and what
/// holds for each where a directive does not say; `env` reads an environment variable for `{env.X}`.
///
/// There is a catalog if the problems hold no error. They are sorted by file and position, and
/// their sources are `sources`.
#[must_use]
pub fn load(
    sources: Sources,
    upstreams: &BTreeMap<ServiceName, Defaults>,
    env: Environment<'_>,
) -> (Option<Catalog>, Problems) {
    let mut problems = Problems::new();
    let parsed = parse::parse(&sources, &mut problems);
    let catalog = check::check(&parsed, upstreams, env, &mut problems);
    problems.sources = sources;
    problems.sort();
    (catalog, problems)
}
