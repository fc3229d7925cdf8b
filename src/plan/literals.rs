//! Rules about literals and variables that the compiler is silent about: unique input fields
//! (section 5.6.3), variables within custom scalars (5.8.3), and a default of null, which does not
//! let a nullable variable into a position that is not (5.8.5).

use std::collections::{HashMap, HashSet};

use apollo_compiler::ast::VariableDefinition;
use apollo_compiler::ast::{Argument, DirectiveList, InputValueDefinition, Type, Value};
use apollo_compiler::executable::{ExecutableDocument, Operation, Selection, SelectionSet};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node, Schema};

use super::document::{RequestError, Source};
use super::validate::MOST_ERRORS;
use crate::failure::Code;

/// Checks every literal of a document that is valid by the compiler's rules.
pub(super) fn check(
    schema: &Schema,
    document: &ExecutableDocument,
    source: &Source,
) -> Vec<RequestError> {
    let mut errors = Vec::new();
    for operation in document.operations.iter() {
        let visited = HashSet::new();
        let mut literals =
            Literals { schema, document, source, operation, visited, errors: &mut errors };
        literals.operation();
    }
    errors
}

struct Literals<'a> {
    schema: &'a Schema,
    document: &'a ExecutableDocument,
    source: &'a Source,
    operation: &'a Operation,
    visited: HashSet<&'a Name>,
    errors: &'a mut Vec<RequestError>,
}

/// What a literal is to be.
#[derive(Clone, Copy)]
enum Expected<'a> {
    /// A value of this type, in a position that has a default or not.
    Type(&'a Type, bool),
    /// Anything: within a custom scalar.
    Anything,
}

impl<'a> Literals<'a> {
    fn operation(&mut self) {
        for variable in &self.operation.variables {
            if let Some(default) = &variable.default_value {
                self.value(default, Expected::Type(&variable.ty, false));
            }
            self.directives(&variable.directives);
        }
        self.directives(&self.operation.directives);
        self.selections(&self.operation.selection_set);
    }

    fn selections(&mut self, set: &'a SelectionSet) {
        for selection in &set.selections {
            self.directives(selection.directives());
            match selection {
                Selection::Field(field) => {
                    self.arguments(&field.arguments, &field.definition.arguments);
                    if let Some(set) = &field.selection_set {
                        self.selections(set);
                    }
                }
                Selection::InlineFragment(inline) => self.selections(&inline.selection_set),
                Selection::FragmentSpread(spread) => {
                    let document = self.document;
                    if let Some(fragment) = document.fragments.get(&spread.fragment_name)
                        && self.visited.insert(&spread.fragment_name)
                    {
                        self.directives(&fragment.directives);
                        self.selections(&fragment.selection_set);
                    }
                }
            }
        }
    }

    fn directives(&mut self, directives: &'a DirectiveList) {
        for directive in directives.iter() {
            if let Some(definition) = self.schema.directive_definitions.get(&directive.name) {
                self.arguments(&directive.arguments, &definition.arguments);
            }
        }
    }

    fn arguments(
        &mut self,
        given: &'a [Node<Argument>],
        definitions: &'a [Node<InputValueDefinition>],
    ) {
        for argument in given {
            let definition = definitions.iter().find(|known| known.name == argument.name);
            if let Some(definition) = definition {
                self.value(&argument.value, position(definition));
            }
        }
    }

    fn value(&mut self, value: &'a Node<Value>, expected: Expected<'a>) {
        match value.as_ref() {
            Value::Variable(name) => self.variable(name, value, expected),
            Value::List(items) => {
                let expected = match expected {
                    Expected::Type(Type::List(item) | Type::NonNullList(item), _) => {
                        Expected::Type(item, false)
                    }
                    _ => Expected::Anything,
                };
                items.iter().for_each(|item| self.value(item, expected));
            }
            Value::Object(members) => self.object(members, expected),
            _ => {}
        }
    }

    fn object(&mut self, members: &'a [(Name, Node<Value>)], expected: Expected<'a>) {
        let object = match expected {
            Expected::Type(ty, _) => match self.schema.types.get(ty.inner_named_type()) {
                Some(ExtendedType::InputObject(object)) => Some(object),
                _ => None,
            },
            Expected::Anything => None,
        };
        let mut seen = HashMap::new();
        for (name, value) in members {
            let first = *seen.entry(name).or_insert_with(|| name.location());
            if first != name.location() {
                let message = format!("The field `{name}` is given twice.");
                self.report(message, &[first, name.location()]);
            }
            let definition = object.and_then(|object| object.fields.get(name));
            self.value(value, definition.map_or(Expected::Anything, |field| position(field)));
        }
    }

    fn variable(&mut self, name: &'a Name, value: &'a Node<Value>, expected: Expected<'a>) {
        let declared = self.operation.variables.iter().find(|variable| variable.name == *name);
        match (declared, expected) {
            (None, _) => {
                self.report(format!("Variable `${name}` is not defined."), &[value.location()]);
            }
            (Some(variable), Expected::Type(ty, false))
                if ty.is_non_null() && !variable.ty.is_non_null() && !has_default(variable) =>
            {
                let message = format!(
                    "Variable `${name}` of type `{}` cannot be used where `{ty}` is expected: \
                     its default is null.",
                    variable.ty
                );
                self.report(message, &[value.location()]);
            }
            _ => {}
        }
    }

    fn report(&mut self, message: String, spans: &[Option<SourceSpan>]) {
        let locations = self.source.locations(spans.iter().copied());
        let error = RequestError::new(Code::GraphqlValidationFailed, message).at(locations);
        // A fragment is walked once for each operation that spreads it.
        if self.errors.len() < MOST_ERRORS && !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }
}

fn position(definition: &InputValueDefinition) -> Expected<'_> {
    Expected::Type(&definition.ty, definition.default_value.is_some())
}

fn has_default(variable: &VariableDefinition) -> bool {
    variable.default_value.as_ref().is_some_and(|default| !default.is_null())
}
