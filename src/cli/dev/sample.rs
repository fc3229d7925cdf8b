//! A query to try: one of the project's own examples, else one made from its schema.

mod invent;
mod shorten;

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use serde_json::Value;

use crate::cli::query::Query;
use crate::gateway::Project;
use crate::json::Body;
use crate::plan::{OperationKind, Variables};

/// Where a project keeps queries, relative to its root: `NAME.graphql`, and beside it the variables
/// in `NAME.json`.
const EXAMPLES: &str = "examples/queries";

/// A query that works.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    /// What it is: a file's name, or "a query".
    pub(super) name: String,
    /// The document, in one line.
    pub(super) query: String,
    /// Its variables, an object.
    pub(super) variables: Option<Value>,
}

impl Sample {
    /// The first example by name that is a valid query and has its variables; else the first field
    /// of `Query` that can be asked for without knowing the data.
    pub(super) fn of(project: &Project, root: &Path) -> Self {
        let examples = examples(&root.join(EXAMPLES));
        let example = examples.iter().find_map(|file| example(project, root, file));
        example.unwrap_or_else(|| invented(project))
    }
}

fn examples(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let files = entries.map(|entry| entry.path());
    let is_query = |file: &PathBuf| file.extension().is_some_and(|of| of == "graphql");
    let mut files: Vec<_> = files.filter(is_query).collect();
    files.sort();
    files
}

fn example(project: &Project, root: &Path, file: &Path) -> Option<Sample> {
    let query = Query::read(file).ok()?;
    let beside = fs::read_to_string(file.with_extension("json")).ok();
    let variables = beside.map(|text| Body::parse(Bytes::from(text))).transpose().ok()?;
    if !works(project, &query, variables.as_ref()) {
        return None;
    }
    Some(Sample {
        name: file.strip_prefix(root).unwrap_or(file).display().to_string(),
        query: shorten::shorten(&query.text),
        variables: variables.and_then(|body| serde_json::from_slice(body.root().raw()).ok()),
    })
}

/// Whether a document is one valid query, and these are its variables.
fn works(project: &Project, query: &Query, variables: Option<&Body>) -> bool {
    let Ok(document) = query.parse(project) else { return false };
    let Ok(operation) = document.operation(None) else { return false };
    let variables = Variables::coerce(&project.catalog, &operation, variables.map(Body::root));
    operation.kind() == OperationKind::Query && variables.is_ok()
}

fn invented(project: &Project) -> Sample {
    let anything = "{ __typename }".to_owned();
    let query = invent::query(&project.catalog).filter(|query| {
        let query = Query { name: "-".to_owned(), text: query.as_str().into() };
        works(project, &query, None)
    });
    Sample { name: "a query".to_owned(), query: query.unwrap_or(anything), variables: None }
}

#[cfg(test)]
mod tests;
