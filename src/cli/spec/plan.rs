//! The plan of a document's request, in the words of `onedoor plan`.

use crate::cli::query::Query;
use crate::config::Problems;
use crate::gateway::Project;
use crate::json::Body;
use crate::plan::{RequestError, Variables, build, explain};

use super::document::Request;

/// The plan as text; of a request that is refused, why.
pub(super) fn text(project: &Project, request: &Request) -> String {
    let query = Query { name: "request".to_owned(), text: request.query.as_str().into() };
    explained(project, &query, request).unwrap_or_else(|errors| {
        let mut problems = Problems::new();
        query.report(errors, &mut problems);
        problems.render(false)
    })
}

fn explained(
    project: &Project,
    query: &Query,
    request: &Request,
) -> Result<String, Vec<RequestError>> {
    let document = query.parse(project)?;
    let operation =
        document.operation(request.operation.as_deref()).map_err(|error| vec![error])?;
    let given = request.variables.clone().and_then(|text| Body::parse(text.into()).ok());
    let given = given.as_ref().map(Body::root);
    let variables = Variables::coerce(&project.catalog, &operation, given)?;
    let mask = operation.mask(&variables);
    let plan = build(&project.catalog, &operation, &mask).map_err(|error| vec![error])?;
    Ok(explain(&plan, &operation, &mask).to_string())
}
