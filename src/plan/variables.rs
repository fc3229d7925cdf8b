//! The values of an operation's variables (specification section 6.1.2, `CoerceVariableValues`).

use apollo_compiler::ast::Type;
use apollo_compiler::executable::Operation as OperationNode;
use apollo_compiler::{Name, Node};

use super::Location;
use super::coercion::Coercion;
use super::document::{Operation, RequestError, Source};
use crate::failure::Code;
use crate::json::{Kind, Value};
use crate::schema::Catalog;

/// A variable that an operation declares.
#[derive(Debug)]
pub struct VariableDefinition {
    name: Name,
    ty: Node<Type>,
    default: Option<Box<[u8]>>,
    locations: Vec<Location>,
}

impl VariableDefinition {
    /// Its name, without the dollar.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a request may leave it out.
    #[must_use]
    pub fn is_optional(&self) -> bool {
        self.default.is_some() || !self.ty.is_non_null()
    }

    fn refused(&self, why: &str) -> RequestError {
        let stop = if why.ends_with('?') { "" } else { "." };
        let message = format!("Variable `${}`: {why}{stop}", self.name);
        RequestError::new(Code::BadUserInput, message).at(self.locations.clone())
    }
}

/// The coerced values of an operation's variables, as JSON text in the wire's names.
#[derive(Debug, Default)]
pub struct Variables {
    text: Vec<u8>,
    /// By index of the declaration: where its value lies; `None`: absent.
    spans: Vec<Option<(usize, usize)>>,
}

impl Variables {
    /// Coerces a request's variables. Names that the operation does not declare are passed over.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for each variable that is missing or not of its type, or null where a
    /// condition reads it.
    pub fn coerce(
        catalog: &Catalog,
        operation: &Operation<'_>,
        raw: Option<Value<'_>>,
    ) -> Result<Self, Vec<RequestError>> {
        let raw = raw.filter(|raw| !raw.is_null());
        if raw.is_some_and(|raw| raw.kind() != Kind::Object) {
            let message = "The variables must be an object.";
            return Err(vec![RequestError::new(Code::BadUserInput, message)]);
        }
        let suggestions = operation.document().suggestions();
        let coercion = Coercion { catalog, suggestions };
        let mut variables = Self::default();
        let mut errors = Vec::new();
        for (definition, index) in operation.variables().iter().zip(0u32..) {
            let start = variables.text.len();
            let given = raw.and_then(|raw| raw.get(definition.name()));
            match variables.write(&coercion, definition, given) {
                Ok(present) => {
                    variables.spans.push(present.then_some((start, variables.text.len())));
                }
                Err(error) => {
                    errors.push(error);
                    continue;
                }
            }
            let decides = operation.condition_variables().contains(&index);
            if decides && variables.get(index) == Some(b"null") {
                errors.push(definition.refused("null cannot be the `if` of a directive"));
            }
        }
        if errors.is_empty() { Ok(variables) } else { Err(errors) }
    }

    /// The value of a variable, by index of its declaration; `None`: it is absent.
    #[must_use]
    pub fn get(&self, index: u32) -> Option<&[u8]> {
        let (start, end) = self.spans.get(index as usize).copied().flatten()?;
        self.text.get(start..end)
    }

    /// The value of a Boolean variable.
    #[must_use]
    pub fn boolean(&self, index: u32) -> Option<bool> {
        match self.get(index)? {
            b"true" => Some(true),
            b"false" => Some(false),
            _ => None,
        }
    }

    fn write(
        &mut self,
        coercion: &Coercion<'_>,
        definition: &VariableDefinition,
        given: Option<Value<'_>>,
    ) -> Result<bool, RequestError> {
        match (given, &definition.default) {
            (Some(value), _) => {
                let written = coercion.json(&definition.ty, value, &mut self.text);
                written.map(|()| true).map_err(|mismatch| match mismatch.place().as_str() {
                    "" => definition.refused(&mismatch.message),
                    place => definition.refused(&format!("at `{place}`: {}", mismatch.message)),
                })
            }
            (None, Some(default)) => {
                self.text.extend_from_slice(default);
                Ok(true)
            }
            (None, None) if definition.ty.is_non_null() => {
                Err(definition.refused(&format!("expected `{}`, found nothing", definition.ty)))
            }
            (None, None) => Ok(false),
        }
    }
}

/// The declarations of a valid operation.
pub(super) fn definitions(
    catalog: &Catalog,
    source: &Source,
    operation: &OperationNode,
) -> Result<Box<[VariableDefinition]>, RequestError> {
    let coercion = Coercion { catalog, suggestions: false };
    let definition = |node: &Node<apollo_compiler::ast::VariableDefinition>| {
        let locations = source.locations([node.location()]);
        let default = node.default_value.as_ref().map(|value| coercion.default(&node.ty, value));
        let default = default.transpose().map_err(|mismatch| {
            let message = format!("The default of `${}`: {}.", node.name, mismatch.message);
            RequestError::new(Code::GraphqlValidationFailed, message).at(locations.clone())
        })?;
        Ok(VariableDefinition {
            name: node.name.clone(),
            ty: Node::clone(&node.ty),
            default,
            locations,
        })
    };
    operation.variables.iter().map(definition).collect()
}
