//! `__schema` and `__type` (specification section 4), answered from the public schema.

use std::collections::HashSet;
use std::iter;
use std::sync::Arc;

use apollo_compiler::Node;
use apollo_compiler::executable::{
    self, ExecutableDocument, Field, FragmentMap, InlineFragment, Selection, SelectionSet,
};
use apollo_compiler::introspection::partial_execute;
use apollo_compiler::response::JsonMap;
use apollo_compiler::response::serde_json_bytes::serde_json;
use apollo_compiler::validation::Valid;

use super::document::{Operation, RequestError};
use super::validate::sentence;
use super::variables::Variables;
use super::volume;
use crate::failure::Code;
use crate::schema::Catalog;

/// The JSON of introspection's root fields, by response key.
pub type Introspection = Vec<(Box<str>, Box<[u8]>)>;

/// All that an answer to introspection depends on, beside the schema.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct IntrospectionKey {
    document: Arc<str>,
    operation: Option<Box<str>>,
    /// The JSON of each variable that it reads, a line for each; none if it is absent.
    variables: Box<[u8]>,
}

impl IntrospectionKey {
    /// The key of one request.
    #[must_use]
    pub fn of(operation: Operation<'_>, variables: &Variables) -> Self {
        let read = operation.introspected_variables().iter();
        let read: Vec<&[u8]> = read.map(|it| variables.get(*it).unwrap_or_default()).collect();
        Self {
            document: Arc::clone(operation.document().text()),
            operation: operation.name().map(Into::into),
            variables: read.join(&b'\n').into(),
        }
    }

    /// What it takes in memory, in bytes.
    #[must_use]
    pub fn weight(&self) -> usize {
        let operation = self.operation.as_ref().map_or(0, |name| name.len());
        size_of::<Self>() + self.document.len() + operation + self.variables.len()
    }
}

/// The fields `__schema` and `__type` at the root of an operation, as often as they stand there.
pub(super) fn fields<'d>(
    document: &'d ExecutableDocument,
    operation: &'d executable::Operation,
) -> impl Iterator<Item = &'d Node<Field>> {
    operation.root_fields(document).filter(|field| is_introspection(field))
}

/// The variables that introspection may read, by index in the operation's declarations: those of
/// its conditions, and the arguments of `__schema`, `__type` and the fields below them.
pub(super) fn variables(
    document: &ExecutableDocument,
    operation: &executable::Operation,
    conditions: &[u32],
) -> Box<[u32]> {
    let fields = fields(document, operation).flat_map(|root| {
        let below = root.selection_set.iter().flat_map(|set| set.all_fields(document));
        iter::once(root).chain(below)
    });
    let arguments = fields.flat_map(|field| &field.arguments);
    let read: HashSet<_> = arguments.filter_map(|it| it.value.as_variable()).collect();
    let declared = operation.variables.iter().zip(0u32..);
    declared
        .filter(|(variable, index)| read.contains(&variable.name) || conditions.contains(index))
        .map(|(_, index)| index)
        .collect()
}

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
    let document = operation.document();
    let failed = |code: Code, message: &str| {
        let error = RequestError::new(code, message.to_owned());
        error.at(operation.introspection_locations())
    };
    // The rest has arguments that are not of its concern.
    let mut node = operation.node().as_ref().clone();
    node.selection_set = introspected(document.fragments(), &node.selection_set);
    volume::check(catalog, document.fragments(), &node.selection_set).map_err(|_| {
        let message = "Introspection nests the schema's lists too deep or asks for them too often.";
        failed(Code::QueryTooComplex, message)
    })?;
    let executed = partial_execute(
        &catalog.public,
        &catalog.implementers,
        document.valid(),
        &node,
        &Valid::assume_valid(values(operation, variables)),
    );
    let refused = |message: &str| failed(Code::BadUserInput, &sentence(message));
    let answer = executed.map_err(|error| refused(&error.message().to_string()))?;
    if let Some(error) = answer.errors.first() {
        return Err(refused(&error.message));
    }
    let mut values = Vec::new();
    for (key, value) in answer.data.unwrap_or_default() {
        let text = serde_json::to_vec(&value);
        let text = text.map_err(|_| failed(Code::Internal, "Introspection failed."))?;
        values.push((key.as_str().into(), text.into()));
    }
    Ok(values)
}

/// What introspection answers of a root selection set, with the conditions that it stands under.
fn introspected(fragments: &FragmentMap, root: &SelectionSet) -> SelectionSet {
    let mut kept = SelectionSet::new(root.ty.clone());
    for selection in &root.selections {
        match selection {
            Selection::Field(field) if is_introspection(field) => kept.push(field.clone()),
            Selection::Field(_) => {}
            Selection::InlineFragment(inline) => kept.push(InlineFragment {
                selection_set: introspected(fragments, &inline.selection_set),
                ..inline.as_ref().clone()
            }),
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = fragments.get(&spread.fragment_name) {
                    kept.push(InlineFragment {
                        type_condition: Some(fragment.type_condition().clone()),
                        directives: spread.directives.clone(),
                        selection_set: introspected(fragments, &fragment.selection_set),
                    });
                }
            }
        }
    }
    kept
}

fn is_introspection(field: &Field) -> bool {
    matches!(&*field.name, "__schema" | "__type")
}

/// The values of the variables that introspection may read, which are strings and Booleans.
fn values(operation: &Operation<'_>, variables: &Variables) -> JsonMap {
    let mut values = JsonMap::new();
    for index in operation.introspected_variables() {
        let definition = operation.variables().get(*index as usize);
        let text = variables.get(*index).and_then(|text| serde_json::from_slice(text).ok());
        if let Some((definition, value)) = definition.zip(text) {
            values.insert(definition.name(), value);
        }
    }
    values
}
