//! `onedoor plan`: what a query would ask of the upstreams, without asking.

use std::fs;
use std::path::PathBuf;

use bytes::Bytes;

use crate::config::Problems;
use crate::gateway::Project;
use crate::json::Body;
use crate::plan::{self, Explanation, Mask, Operation, RequestError, Variables};

use super::ending::Ending;
use super::query::Query;
use super::root::Root;
use super::terminal;

const EXAMPLES: &str = "\
Examples:
  onedoor plan examples/queries/dashboard.graphql
  onedoor plan orders.graphql --operation Recent --variables '{\"withBuyer\": true}'
  onedoor plan orders.graphql --variables orders.json --json
  echo '{ me { name } }' | onedoor plan -";

/// Show which requests a query makes, and in which order
///
/// Nothing is requested. Variables are needed only where `@skip` or `@include` reads one; given,
/// they are checked.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// The file of a GraphQL document; `-` is standard input
    #[arg(value_name = "QUERY")]
    query: PathBuf,
    /// The variables: a JSON object, or a file that holds one
    #[arg(long, value_name = "FILE|JSON")]
    variables: Option<String>,
    /// Which operation of the document, if it has several
    #[arg(long, value_name = "NAME")]
    operation: Option<String>,
    /// As JSON, for programs
    #[arg(long)]
    json: bool,
}

/// Plans and prints.
///
/// # Errors
/// If the project or the query has mistakes, which were shown.
pub(super) fn run(args: &Args, root: &Root) -> Result<(), Ending> {
    let query = Query::read(&args.query)?;
    let variables = args.variables.as_deref().map(read_variables).transpose()?;
    let (project, _) = root.load()?;
    let explanation = explain(&query, args, variables.as_ref(), &project).map_err(|errors| {
        let mut problems = Problems::new();
        query.report(errors, &mut problems);
        terminal::show(&problems);
        Ending::Mistakes
    })?;
    let text = if args.json {
        let json = serde_json::to_string_pretty(&explanation);
        json.map_err(|error| Ending::failed(error.to_string()))? + "\n"
    } else {
        explanation.to_string()
    };
    Ok(terminal::print(&text)?)
}

fn explain(
    query: &Query,
    args: &Args,
    variables: Option<&Body>,
    project: &Project,
) -> Result<Explanation, Vec<RequestError>> {
    let document = query.parse(project)?;
    let operation = document.operation(args.operation.as_deref()).map_err(|error| vec![error])?;
    let mask = mask(&operation, variables, project)?;
    let plan = plan::build(&project.catalog, &operation, &mask).map_err(|error| vec![error])?;
    Ok(plan::explain(&plan, &operation, &mask))
}

/// What the conditions come to. A plan knows no other value of a variable.
fn mask(
    operation: &Operation<'_>,
    variables: Option<&Body>,
    project: &Project,
) -> Result<Mask, Vec<RequestError>> {
    if variables.is_none() && operation.condition_variables().is_empty() {
        return Ok(Mask::default());
    }
    let given = variables.map(Body::root);
    let variables = Variables::coerce(&project.catalog, operation, given)?;
    Ok(operation.mask(&variables))
}

fn read_variables(text: &str) -> Result<Body, Ending> {
    let is_json = text.trim_start().starts_with('{');
    let (name, json) = if is_json {
        ("--variables".to_owned(), text.to_owned())
    } else {
        let read = fs::read_to_string(text);
        let failed = |error| Ending::failed(format!("`{text}` cannot be read: {error}"));
        (format!("`{text}`"), read.map_err(failed)?)
    };
    Body::parse(Bytes::from(json)).map_err(|error| {
        Ending::failed(format!("{name} is not JSON: {error}"))
            .with_help("write an object: `{\"user\": \"7\"}`")
    })
}
