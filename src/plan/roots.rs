//! A subscription selects one field at its root (specification section 5.2.4.1). The rule is our
//! own: the compiler's counts fields where the specification counts response keys, and names the
//! operation rather than the fields that are too many.

use std::collections::HashSet;

use apollo_compiler::Name;
use apollo_compiler::executable::{ExecutableDocument, Operation, Selection};
use apollo_compiler::parser::SourceSpan;
use indexmap::IndexMap;

use super::document::{RequestError, Source};
use super::validate::MOST_ERRORS;
use crate::failure::Code;

/// Checks the root of every subscription.
pub(super) fn check(document: &ExecutableDocument, source: &Source) -> Vec<RequestError> {
    let subscriptions = document.operations.iter().filter(|operation| operation.is_subscription());
    let refused = subscriptions.filter_map(|operation| {
        let extra: Vec<_> = fields(document, operation).into_values().skip(1).flatten().collect();
        let message = "A subscription selects one field at its root.";
        (!extra.is_empty()).then(|| {
            RequestError::new(Code::GraphqlValidationFailed, message).at(source.locations(extra))
        })
    });
    refused.take(MOST_ERRORS).collect()
}

/// The places of the fields of each response key, in the order of the document (`CollectFields`).
fn fields<'d>(
    document: &'d ExecutableDocument,
    operation: &'d Operation,
) -> IndexMap<&'d Name, Vec<Option<SourceSpan>>> {
    let mut found: IndexMap<_, Vec<_>> = IndexMap::new();
    let mut spread = HashSet::new();
    let mut open = vec![operation.selection_set.selections.iter()];
    while let Some(selections) = open.last_mut() {
        match selections.next() {
            None => drop(open.pop()),
            Some(Selection::Field(field)) => {
                found.entry(field.response_name()).or_default().push(field.location());
            }
            Some(Selection::InlineFragment(inline)) => {
                open.push(inline.selection_set.selections.iter());
            }
            Some(Selection::FragmentSpread(named)) => {
                if let Some(fragment) = document.fragments.get(&named.fragment_name)
                    && spread.insert(&named.fragment_name)
                {
                    open.push(fragment.selection_set.selections.iter());
                }
            }
        }
    }
    found
}
