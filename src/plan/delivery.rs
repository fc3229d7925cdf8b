//! Where `@defer` and `@stream` may stand (the rules that the working draft of incremental delivery
//! adds to section 5.7). They are our own: the compiler has some of them, for `@defer` only. That
//! fields of one response key do not stream is a rule of [`super::merging`].

use apollo_compiler::Node;
use apollo_compiler::ast::{
    Definition, Directive, DirectiveList, Document, OperationDefinition, OperationType, Selection,
    Value,
};
use apollo_compiler::executable::{self, ExecutableDocument, SelectionSet};
use apollo_compiler::parser::SourceSpan;
use indexmap::IndexMap;

use super::document::{RequestError, Source};
use super::validate::MOST_ERRORS;
use super::walk::{self, Fragments, Walk};
use crate::failure::Code;

/// Checks the labels of a document, the roots of its mutations and subscriptions, and what is below
/// those of subscriptions.
pub(super) fn check(
    document: &Document,
    fragments: &Fragments<'_>,
    source: &Source,
) -> Vec<RequestError> {
    let mut refused = Refused { source, errors: Vec::new() };
    labels(document, &mut refused);
    for operation in walk::operations(document) {
        match operation.operation_type {
            OperationType::Query => {}
            OperationType::Mutation => root(operation, fragments, &mut refused),
            OperationType::Subscription => {
                root(operation, fragments, &mut refused);
                events(operation, fragments, &mut refused);
            }
        }
    }
    refused.errors
}

/// Checks that nothing but lists streams, of what is known.
pub(super) fn lists(document: &ExecutableDocument, source: &Source) -> Vec<RequestError> {
    let mut refused = Refused { source, errors: Vec::new() };
    let operations = document.operations.iter().map(|operation| &operation.selection_set);
    let fragments = document.fragments.values().map(|fragment| &fragment.selection_set);
    operations.chain(fragments).for_each(|set| lists_of(set, &mut refused));
    refused.errors
}

struct Refused<'a> {
    source: &'a Source,
    errors: Vec<RequestError>,
}

impl Refused<'_> {
    fn push(&mut self, message: String, at: impl IntoIterator<Item = Option<SourceSpan>>) {
        let locations = self.source.locations(at);
        let error = RequestError::new(Code::GraphqlValidationFailed, message).at(locations);
        if self.errors.len() < MOST_ERRORS && !self.errors.contains(&error) {
            self.errors.push(error);
        }
    }
}

/// A label is a text, and stands for one part.
fn labels(document: &Document, refused: &mut Refused<'_>) {
    let mut directives = Vec::new();
    for definition in &document.definitions {
        match definition {
            Definition::OperationDefinition(operation) => {
                deliveries(&operation.selection_set, &mut directives);
            }
            Definition::FragmentDefinition(fragment) => {
                deliveries(&fragment.selection_set, &mut directives);
            }
            _ => {}
        }
    }
    let mut seen: IndexMap<&str, Option<SourceSpan>> = IndexMap::new();
    for directive in directives {
        match directive.specified_argument_by_name("label").map(|label| &**label) {
            Some(Value::String(label)) => {
                let first = *seen.entry(label).or_insert(directive.location());
                if first != directive.location() {
                    let message = format!("The label `{label}` stands for several parts.");
                    refused.push(message, [first, directive.location()]);
                }
            }
            Some(Value::Variable(_)) => {
                let message = format!("The label of `@{}` is no variable.", directive.name);
                refused.push(message, [directive.location()]);
            }
            _ => {}
        }
    }
}

/// Every `@defer` and `@stream` below, in the order of the document.
fn deliveries<'d>(selections: &'d [Selection], found: &mut Vec<&'d Node<Directive>>) {
    for selection in selections {
        let directives = walk::directives(selection).iter();
        found.extend(directives.filter(|it| matches!(it.name.as_str(), "defer" | "stream")));
        match selection {
            Selection::Field(field) => {
                deliveries(field.selection_set.as_deref().unwrap_or_default(), found);
            }
            Selection::InlineFragment(inline) => deliveries(&inline.selection_set, found),
            Selection::FragmentSpread(_) => {}
        }
    }
}

/// What is done or subscribed to is not put off.
fn root(
    operation: &Node<OperationDefinition>,
    fragments: &Fragments<'_>,
    refused: &mut Refused<'_>,
) {
    let mut walk = Walk::new(operation, fragments);
    while let Some(selection) = walk.next() {
        if let Some(directive) = delivery(selection) {
            let message = format!(
                "`@{}` may not stand at the root of a mutation or subscription.",
                directive.name
            );
            refused.push(message, [directive.location()]);
        }
        if !matches!(selection, Selection::Field(_)) {
            walk.enter(selection);
        }
    }
}

/// An event's response has no parts: it must be possible to switch them off.
fn events(
    operation: &Node<OperationDefinition>,
    fragments: &Fragments<'_>,
    refused: &mut Refused<'_>,
) {
    let mut walk = Walk::new(operation, fragments);
    while let Some(selection) = walk.next() {
        if may_be_left_out(walk::directives(selection)) {
            continue;
        }
        if let Some(directive) = delivery(selection)
            && !matches!(condition(directive), Some(Value::Boolean(false) | Value::Variable(_)))
        {
            let message = format!(
                "`@{}` may not stand in a subscription, unless its `if` is false or a variable.",
                directive.name
            );
            let places = [directive.location()].into_iter().chain(walk.spreads());
            refused.push(message, places);
        }
        walk.enter(selection);
    }
}

fn may_be_left_out(directives: &DirectiveList) -> bool {
    let skipped = directives.get("skip").map(|skip| condition(skip));
    let included = directives.get("include").map(|include| condition(include));
    skipped.is_some_and(|it| !matches!(it, Some(Value::Boolean(false))))
        || included.flatten().is_some_and(|it| !matches!(it, Value::Boolean(true)))
}

fn condition(directive: &Directive) -> Option<&Value> {
    directive.specified_argument_by_name("if").map(|condition| &**condition)
}

/// A field's `@stream` or a fragment's `@defer`: elsewhere they have no place at all.
fn delivery(selection: &Selection) -> Option<&Node<Directive>> {
    let name = if matches!(selection, Selection::Field(_)) { "stream" } else { "defer" };
    walk::directives(selection).get(name)
}

fn lists_of(set: &SelectionSet, refused: &mut Refused<'_>) {
    for selection in &set.selections {
        match selection {
            executable::Selection::Field(field) => {
                if let Some(stream) = field.directives.get("stream")
                    && !field.ty().is_list()
                {
                    let message = format!("`{}` is no list, so nothing streams.", field.name);
                    refused.push(message, [stream.location()]);
                }
                if let Some(below) = &field.selection_set {
                    lists_of(below, refused);
                }
            }
            executable::Selection::InlineFragment(inline) => {
                lists_of(&inline.selection_set, refused);
            }
            executable::Selection::FragmentSpread(_) => {}
        }
    }
}
