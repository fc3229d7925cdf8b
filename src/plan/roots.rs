//! A subscription selects one field at its root (specification section 5.2.4.1). The rule is our
//! own: the compiler's counts fields where the specification counts response keys, names the
//! operation rather than the fields that are too many, and does not see what is not known.

use apollo_compiler::ast::{
    Directive, Document, Field, OperationDefinition, OperationType, Selection,
};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::{Name, Node, Schema};
use indexmap::IndexMap;

use super::document::{RequestError, Source};
use super::places;
use super::validate::MOST_ERRORS;
use super::walk::{self, Fragments, Walk};
use crate::failure::Code;

/// Checks the root of every subscription.
pub(super) fn check(
    schema: &Schema,
    document: &Document,
    fragments: &Fragments<'_>,
    source: &Source,
) -> Vec<RequestError> {
    let Some(root) = schema.root_operation(OperationType::Subscription) else { return Vec::new() };
    let subscriptions = walk::operations(document)
        .filter(|operation| operation.operation_type == OperationType::Subscription);
    let mut errors = Vec::new();
    for operation in subscriptions {
        let applies = |to: &Name| to == root || schema.is_subtype(to, root);
        for (message, places) in faults(operation, Walk::new(operation, fragments), applies, source)
        {
            let error = RequestError::new(Code::GraphqlValidationFailed, message);
            errors.push(error.at(source.locations_at(places)));
        }
        if errors.len() >= MOST_ERRORS {
            break;
        }
    }
    errors
}

/// What is wrong with the root of one subscription, and at which offsets.
fn faults<'d>(
    operation: &'d Node<OperationDefinition>,
    walk: Walk<'d>,
    applies: impl Fn(&Name) -> bool,
    source: &Source,
) -> Vec<(&'static str, Vec<usize>)> {
    let Root { fields, conditions } = Root::collect(walk, applies);
    if !conditions.is_empty() {
        let message = "A subscription has no `@skip` and no `@include` at its root.";
        return vec![(message, offsets(conditions.iter().map(|it| it.location())))];
    }
    let mut faults = Vec::new();
    let one = "A subscription selects one field at its root.";
    if fields.is_empty() {
        faults.push((one, places::selections(operation, source.text()).into_iter().collect()));
    } else if fields.len() > 1 {
        let extra = fields.values().skip(1).flatten().map(|field| field.location());
        faults.push((one, offsets(extra)));
    }
    for fields in fields.values() {
        if fields.first().is_some_and(|field| field.name.starts_with("__")) {
            let message = "A subscription selects no introspection at its root.";
            faults.push((message, offsets(fields.iter().map(|field| field.location()))));
        }
    }
    faults
}

fn offsets(spans: impl Iterator<Item = Option<SourceSpan>>) -> Vec<usize> {
    spans.flatten().map(|span| span.offset()).collect()
}

/// What a subscription selects at its root (`CollectSubscriptionFields`).
#[derive(Default)]
struct Root<'d> {
    /// By response key, in the order of the document.
    fields: IndexMap<&'d Name, Vec<&'d Node<Field>>>,
    /// `@skip` and `@include`: what they stand at is not looked at.
    conditions: Vec<&'d Node<Directive>>,
}

impl<'d> Root<'d> {
    fn collect(mut walk: Walk<'d>, applies: impl Fn(&Name) -> bool) -> Self {
        let mut root = Self::default();
        while let Some(selection) = walk.next() {
            let directives = walk::directives(selection);
            match (directives.get("skip").or_else(|| directives.get("include")), selection) {
                (Some(condition), _) => root.conditions.push(condition),
                (None, Selection::Field(field)) => {
                    root.fields.entry(field.response_name()).or_default().push(field);
                }
                (None, _) => {
                    if walk.condition(selection).is_none_or(&applies) {
                        walk.enter(selection);
                    }
                }
            }
        }
        root
    }
}
