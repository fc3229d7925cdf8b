//! Which variables an operation declares and which it uses (specification sections 5.8.3, 5.8.4),
//! in the document as it is written: also within a custom scalar's literal, and among the arguments
//! of a field that is not known, where the compiler does not look.

use std::collections::{HashMap, HashSet};

use apollo_compiler::ast::{
    Argument, Definition, DirectiveList, Document, FragmentDefinition, OperationDefinition,
    Selection, Value,
};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::{Name, Node};

use super::document::{RequestError, Source};
use super::validate::MOST_ERRORS;
use crate::failure::Code;

/// Checks that each variable that is used is declared, and the other way round.
pub(super) fn check(document: &Document, source: &Source) -> Vec<RequestError> {
    let fragments = document.definitions.iter().filter_map(Definition::as_fragment_definition);
    let fragments: HashMap<_, _> = fragments.map(|it| (&it.name, it)).collect();
    let mut errors = Vec::new();
    for definition in &document.definitions {
        if let Definition::OperationDefinition(operation) = definition {
            let uses = Uses::of(operation, &fragments);
            undefined(operation, &uses, source, &mut errors);
            unused(operation, &uses, source, &mut errors);
        }
    }
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

/// The uses of variables in an operation and the fragments that it spreads.
#[derive(Default)]
struct Uses<'a> {
    found: Vec<(&'a Name, Option<SourceSpan>)>,
    /// The fragments that are spread, in the order in which they are met.
    spread: Vec<&'a Name>,
}

impl<'a> Uses<'a> {
    fn of(
        operation: &'a OperationDefinition,
        fragments: &HashMap<&'a Name, &'a Node<FragmentDefinition>>,
    ) -> Self {
        let mut uses = Self::default();
        for variable in &operation.variables {
            uses.directives(&variable.directives);
        }
        uses.directives(&operation.directives);
        uses.selections(&operation.selection_set);
        let mut seen = HashSet::new();
        while let Some(name) = uses.spread.pop() {
            if seen.insert(name)
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
