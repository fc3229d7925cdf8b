//! Rules about literals and variables in which the compiler is silent or mistaken: the names of input
//! fields, of which it tells the first only (section 5.6.2), that none stands twice (5.6.3), and
//! whether a variable may stand where it does (5.8.5), of which it knows neither that a default of
//! null is none nor that within a custom scalar anything goes.

use std::collections::{HashMap, HashSet};

use apollo_compiler::ast::{Argument, DirectiveList, InputValueDefinition, Type, Value};
use apollo_compiler::executable::{ExecutableDocument, Operation, Selection, SelectionSet};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::schema::{ExtendedType, InputObjectType};
use apollo_compiler::{Name, Node, Schema};

use super::document::{RequestError, Source};
use super::validate::{MOST_ERRORS, did_you_mean, nearest, sentence};
use crate::failure::Code;
use crate::schema::Catalog;

/// What is known of a document's literals.
#[derive(Default)]
pub(super) struct Checked {
    /// The mistakes.
    pub(super) errors: Vec<RequestError>,
    /// Where a null stands within a custom scalar, whose literal may hold anything.
    pub(super) free: HashSet<usize>,
}

/// Checks every literal of a document, as far as the compiler could make something of it.
pub(super) fn check(
    catalog: &Catalog,
    document: &ExecutableDocument,
    source: &Source,
    suggestions: bool,
) -> Checked {
    let mut found = Checked::default();
    for operation in document.operations.iter() {
        let visited = HashSet::new();
        let mut literals = Literals {
            catalog,
            schema: &catalog.public,
            document,
            source,
            suggestions,
            operation,
            visited,
            found: &mut found,
        };
        literals.operation();
    }
    found
}

struct Literals<'a> {
    catalog: &'a Catalog,
    schema: &'a Schema,
    document: &'a ExecutableDocument,
    source: &'a Source,
    suggestions: bool,
    operation: &'a Operation,
    visited: HashSet<&'a Name>,
    found: &'a mut Checked,
}

/// What a literal is to be.
#[derive(Clone, Copy)]
enum Expected<'a> {
    /// A value of this type.
    Type(&'a Type, Position),
    /// Anything: within a custom scalar.
    Anything,
}

/// Where a literal stands.
#[derive(Clone, Copy)]
enum Position {
    /// An argument or input field with a default.
    Defaulted,
    /// The field of a oneOf object, which must not be null whatever its type says.
    OneOf,
    /// Anywhere else.
    Plain,
}

impl<'a> Literals<'a> {
    fn operation(&mut self) {
        for variable in &self.operation.variables {
            if let Some(default) = &variable.default_value {
                self.value(default, Expected::Type(&variable.ty, Position::Plain));
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
        self.scalar(value, expected);
        match value.as_ref() {
            Value::Variable(name) => self.variable(name, value, expected),
            Value::List(items) => {
                let expected = match expected {
                    Expected::Type(Type::List(item) | Type::NonNullList(item), _) => {
                        Expected::Type(item, Position::Plain)
                    }
                    _ => Expected::Anything,
                };
                items.iter().for_each(|item| self.value(item, expected));
            }
            Value::Object(members) => self.object(members, expected),
            Value::Null if matches!(expected, Expected::Anything) => {
                self.found.free.extend(value.location().map(|span| span.offset()));
            }
            _ => {}
        }
    }

    /// A custom scalar of a known specification (section 5.6.1).
    fn scalar(&mut self, value: &'a Node<Value>, expected: Expected<'a>) {
        let Expected::Type(ty, _) = expected else { return };
        let name = ty.inner_named_type();
        let Some(known) = self.catalog.scalars.get(name) else { return };
        let is_list = ty.is_list() && matches!(**value, Value::List(_));
        if !is_list && !known.holds_literal(value) {
            let message = format!("`{name}` is {}, and this is none.", known.called());
            self.report(message, &[value.location()]);
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
            if let (Some(object), None) = (object, definition) {
                self.unknown(object, name);
            }
            let expected = match (object, definition) {
                (Some(object), Some(field)) if object.is_one_of() => {
                    Expected::Type(&field.ty, Position::OneOf)
                }
                (_, Some(field)) => position(field),
                (_, None) => Expected::Anything,
            };
            self.value(value, expected);
        }
    }

    fn unknown(&mut self, object: &InputObjectType, name: &Name) {
        let known = object.fields.keys().map(|known| known.as_str());
        let near = nearest(name, known).filter(|_| self.suggestions);
        let message = format!("The input type `{}` has no field `{name}`", object.name);
        let message = sentence(&(message + &did_you_mean(near)));
        self.report(message, &[name.location()]);
    }

    /// `IsVariableUsageAllowed`.
    fn variable(&mut self, name: &'a Name, value: &'a Node<Value>, expected: Expected<'a>) {
        // Of a name that stands twice the last counts, as for the reference implementation.
        let declared = self.operation.variables.iter().rfind(|variable| variable.name == *name);
        let (Some(variable), Expected::Type(ty, position)) = (declared, expected) else { return };
        if !self.schema.types.contains_key(variable.ty.inner_named_type()) {
            return;
        }
        let default = variable.default_value.as_ref();
        let non_null = ty.is_non_null() || matches!(position, Position::OneOf);
        let allowed = if non_null && !variable.ty.is_non_null() {
            let has_default = default.is_some_and(|default| !default.is_null());
            (has_default || matches!(position, Position::Defaulted))
                && variable.ty.is_assignable_to(&ty.clone().nullable())
        } else {
            variable.ty.is_assignable_to(ty)
        };
        if !allowed {
            let wanted = if non_null { ty.clone().non_null() } else { ty.clone() };
            let why = match default {
                Some(default) if default.is_null() && non_null => ": its default is null",
                _ => "",
            };
            let message = format!(
                "Variable `${name}` of type `{}` cannot be used where `{wanted}` is expected{why}.",
                variable.ty
            );
            self.report(message, &[value.location(), variable.location()]);
        }
    }

    fn report(&mut self, message: String, spans: &[Option<SourceSpan>]) {
        let locations = self.source.locations(spans.iter().copied());
        let error = RequestError::new(Code::GraphqlValidationFailed, message).at(locations);
        // A fragment is walked once for each operation that spreads it.
        let errors = &mut self.found.errors;
        if errors.len() < MOST_ERRORS && !errors.contains(&error) {
            errors.push(error);
        }
    }
}

fn position(definition: &InputValueDefinition) -> Expected<'_> {
    let defaulted = definition.default_value.is_some();
    let position = if defaulted { Position::Defaulted } else { Position::Plain };
    Expected::Type(&definition.ty, position)
}
