//! `__schema` and `__type` (specification section 4), answered from the public schema.

use apollo_compiler::introspection::partial_execute;
use apollo_compiler::response::serde_json_bytes::serde_json;
use apollo_compiler::response::{JsonMap, JsonValue};
use apollo_compiler::validation::Valid;

use super::document::{Operation, RequestError};
use super::validate::sentence;
use super::variables::Variables;
use super::volume;
use crate::failure::Code;
use crate::schema::Catalog;

/// The JSON of introspection's root fields, by response key.
pub type Introspection = Vec<(Box<str>, Box<[u8]>)>;

/// The JSON of each `__schema` and `__type` at the root of a query, by response key.
///
/// # Errors
/// `QUERY_TOO_COMPLEX`: the answer would be far larger than the schema. `BAD_USER_INPUT`: an
/// argument is null where it may not be.
pub fn introspect(
    catalog: &Catalog,
    operation: &Operation<'_>,
    variables: &Variables,
) -> Result<Introspection, RequestError> {
    let (document, node) = (operation.document(), operation.node());
    volume::check(catalog, document.fragments(), &node.selection_set).map_err(|_| {
        let message = "Introspection nests the schema's lists too deep or asks for them too often.";
        RequestError::new(Code::QueryTooComplex, message)
    })?;
    let executed = partial_execute(
        &catalog.public,
        &catalog.implementers,
        document.valid(),
        node,
        &values(operation, variables),
    );
    let refused = |message: &str| RequestError::new(Code::BadUserInput, sentence(message));
    let answer = executed.map_err(|error| refused(&error.message().to_string()))?;
    if let Some(error) = answer.errors.first() {
        return Err(refused(&error.message));
    }
    let mut values = Vec::new();
    for (key, value) in answer.data.unwrap_or_default() {
        let text = serde_json::to_vec(&value);
        let text = text.map_err(|_| RequestError::new(Code::Internal, "Introspection failed."))?;
        values.push((key.as_str().into(), text.into()));
    }
    Ok(values)
}

/// The variables that introspection's arguments and conditions can read: strings and Booleans.
fn values(operation: &Operation<'_>, variables: &Variables) -> Valid<JsonMap> {
    let mut values = JsonMap::new();
    for (definition, index) in operation.variables().iter().zip(0u32..) {
        let value = match variables.get(index) {
            Some(b"null") => Some(JsonValue::Null),
            Some(text @ ([b'"', ..] | b"true" | b"false")) => serde_json::from_slice(text).ok(),
            _ => None,
        };
        if let Some(value) = value {
            values.insert(definition.name(), value);
        }
    }
    Valid::assume_valid(values)
}
