//! The plan of a document's request, in the words of `onedoor plan`.

use crate::config::Limits;
use crate::json::{Body, Value};
use crate::plan::{self, RequestError, Variables, build, explain};
use crate::schema::Catalog;

use super::document::Request;

/// The plan as text; of a request that is refused, why.
pub(super) fn text(catalog: &Catalog, limits: &Limits, request: &Request) -> String {
    let variables = request.variables.clone().and_then(|text| Body::parse(text.into()).ok());
    let variables = variables.as_ref().map(Body::root);
    match explained(catalog, limits, request, variables) {
        Ok(text) => text,
        Err(errors) => errors.iter().map(|error| format!("{error}\n")).collect(),
    }
}

fn explained(
    catalog: &Catalog,
    limits: &Limits,
    request: &Request,
    variables: Option<Value<'_>>,
) -> Result<String, Vec<RequestError>> {
    let limits = plan::Limits {
        tokens: limits.query_tokens.get() as usize,
        nesting: limits.query_nesting.get() as usize,
        fields: limits.plan_fields.get() as usize,
    };
    let document = plan::Document::parse(catalog, &request.query, &limits, true)?;
    let operation =
        document.operation(request.operation.as_deref()).map_err(|error| vec![error])?;
    let variables = Variables::coerce(catalog, &operation, variables)?;
    let mask = operation.mask(&variables);
    let plan = build(catalog, &operation, &mask).map_err(|error| vec![error])?;
    Ok(explain(&plan, &operation, &mask).to_string())
}
