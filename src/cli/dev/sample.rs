//! A query to try: one of the project's own examples, else one made from its schema.

mod invent;
mod shorten;

use bytes::Bytes;
use serde_json::Value;

use crate::cli::query::Query;
use crate::gateway::{Example, Project};
use crate::json::Body;
use crate::plan::{OperationKind, Variables};

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
    pub(super) fn of(project: &Project) -> Self {
        let example = project.examples.iter().find_map(|example| sample(project, example));
        example.unwrap_or_else(|| invented(project))
    }
}

fn sample(project: &Project, example: &Example) -> Option<Sample> {
    let query = Query { name: example.file.clone(), text: example.query.as_ref().into() };
    let variables =
        example.variables.as_deref().map(|text| Bytes::copy_from_slice(text.as_bytes()));
    let variables = variables.map(Body::parse).transpose().ok()?;
    if !works(project, &query, variables.as_ref()) {
        return None;
    }
    Some(Sample {
        name: query.name,
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
