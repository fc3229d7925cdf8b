//! Which variables an operation declares and which it uses (specification sections 5.8.3, 5.8.4), and
//! which fragments (section 5.5.1.4), in the document as it is written: also within a custom scalar's
//! literal, and beneath a field that is not known, where the compiler does not look.

use std::collections::HashSet;

use apollo_compiler::ast::{
    Argument, Definition, DirectiveList, Document, OperationDefinition, Selection, Value,
};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::{Name, Node};

use super::document::{RequestError, Source};
use super::validate::MOST_ERRORS;
use super::walk::{self, Fragments};
use crate::failure::Code;

/// Checks that each variable that is used is declared, and the other way round, and that each
/// fragment is used.
pub(super) fn check(
    document: &Document,
    known: &Fragments<'_>,
    source: &Source,
) -> Vec<RequestError> {
    let mut errors = Vec::new();
    let mut reached = HashSet::new();
    for operation in walk::operations(document) {
        let uses = Uses::of(operation, known);
        undefined(operation, &uses, source, &mut errors);
        unused(operation, &uses, source, &mut errors);
        reached.extend(uses.reached);
    }
    fragments(document, &reached, source, &mut errors);
    errors.truncate(MOST_ERRORS);
    errors
}

fn undefined(
    operation: &Node<OperationDefinition>,
    uses: &Uses<'_>,
    source: &Source,
    errors: &mut Vec<RequestError>,
) {
    let declared: HashSet<_> = operation.variables.iter().map(|it| &it.name).collect();
    for (name, place) in uses.found.iter().filter(|(name, _)| !declared.contains(name)) {
        let by = operation.name.as_ref().map(|name| format!(" by `{name}`")).unwrap_or_default();
        let message = format!("Variable `${name}` is not defined{by}.");
        let locations = source.locations([*place, operation.location()]);
        errors.push(RequestError::new(Code::GraphqlValidationFailed, message).at(locations));
    }
}

fn unused(
    operation: &OperationDefinition,
    uses: &Uses<'_>,
    source: &Source,
    errors: &mut Vec<RequestError>,
) {
    let used: HashSet<_> = uses.found.iter().map(|(name, _)| *name).collect();
    for variable in operation.variables.iter().filter(|it| !used.contains(&it.name)) {
        let by = operation.name.as_ref().map(|name| format!(" by `{name}`")).unwrap_or_default();
        let message = format!("Variable `${}` is not used{by}.", variable.name);
        let locations = source.locations([variable.location()]);
        errors.push(RequestError::new(Code::GraphqlValidationFailed, message).at(locations));
    }
}

/// The fragments that no operation reaches.
fn fragments(
    document: &Document,
    reached: &HashSet<&Name>,
    source: &Source,
    errors: &mut Vec<RequestError>,
) {
    let all = document.definitions.iter().filter_map(Definition::as_fragment_definition);
    for fragment in all.filter(|fragment| !reached.contains(&fragment.name)) {
        let message = format!("Fragment `{}` must be used in an operation.", fragment.name);
        let locations = source.locations([fragment.location()]);
        errors.push(RequestError::new(Code::GraphqlValidationFailed, message).at(locations));
    }
}

/// The uses of variables in an operation and the fragments that it spreads.
#[derive(Default)]
struct Uses<'a> {
    found: Vec<(&'a Name, Option<SourceSpan>)>,
    /// The fragments that are spread and not yet looked at, in the order in which they are met.
    spread: Vec<&'a Name>,
    /// Those that were looked at.
    reached: HashSet<&'a Name>,
}

impl<'a> Uses<'a> {
    fn of(operation: &'a OperationDefinition, fragments: &Fragments<'a>) -> Self {
        let mut uses = Self::default();
        for variable in &operation.variables {
            uses.directives(&variable.directives);
        }
        uses.directives(&operation.directives);
        uses.selections(&operation.selection_set);
        while let Some(name) = uses.spread.pop() {
            if uses.reached.insert(name)
                && let Some(fragment) = fragments.get(name)
            {
                uses.directives(&fragment.directives);
                uses.selections(&fragment.selection_set);
            }
        }
        uses
    }

    fn selections(&mut self, selections: &'a [Selection]) {
        for selection in selections {
            match selection {
                Selection::Field(field) => {
                    self.arguments(&field.arguments);
                    self.directives(&field.directives);
                    self.selections(field.selection_set.as_deref().unwrap_or_default());
                }
                Selection::FragmentSpread(spread) => {
                    self.spread.push(&spread.fragment_name);
                    self.directives(&spread.directives);
                }
                Selection::InlineFragment(inline) => {
                    self.directives(&inline.directives);
                    self.selections(&inline.selection_set);
                }
            }
        }
    }

    fn directives(&mut self, directives: &'a DirectiveList) {
        directives.iter().for_each(|directive| self.arguments(&directive.arguments));
    }

    fn arguments(&mut self, arguments: &'a [Node<Argument>]) {
        arguments.iter().for_each(|argument| self.value(&argument.value));
    }

    fn value(&mut self, value: &'a Node<Value>) {
        match &**value {
            Value::Variable(name) => self.found.push((name, value.location())),
            Value::List(items) => items.iter().for_each(|item| self.value(item)),
            Value::Object(members) => members.iter().for_each(|(_, member)| self.value(member)),
            _ => {}
        }
    }
}
