//! The selections of an operation in the document as it is written, in its order, each fragment's
//! once. Fragments may form cycles, lead through a chain as long as the document, or be missing.

use std::collections::{HashMap, HashSet};

use apollo_compiler::ast::{
    Definition, DirectiveList, Document, FragmentDefinition, OperationDefinition, Selection,
};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::{Name, Node};

/// A document's fragments by name.
pub(super) type Fragments<'d> = HashMap<&'d Name, &'d Node<FragmentDefinition>>;

/// The fragments of this document.
pub(super) fn fragments(document: &Document) -> Fragments<'_> {
    let fragments = document.definitions.iter().filter_map(Definition::as_fragment_definition);
    fragments.map(|fragment| (&fragment.name, fragment)).collect()
}

/// The operations of this document.
pub(super) fn operations(
    document: &Document,
) -> impl Iterator<Item = &Node<OperationDefinition>> + Clone {
    document.definitions.iter().filter_map(|definition| match definition {
        Definition::OperationDefinition(operation) => Some(operation),
        _ => None,
    })
}

/// A walk that goes below a selection only where it is told to.
pub(super) struct Walk<'d> {
    fragments: &'d Fragments<'d>,
    visited: HashSet<&'d Name>,
    open: Vec<Open<'d>>,
}

/// Selections that are not yet met, and the spread that they are behind, if it is one.
struct Open<'d> {
    selections: std::slice::Iter<'d, Selection>,
    spread: Option<SourceSpan>,
}

impl<'d> Walk<'d> {
    /// A walk that begins with an operation's own selections.
    pub(super) fn new(operation: &'d OperationDefinition, fragments: &'d Fragments<'d>) -> Self {
        let own = Open { selections: operation.selection_set.iter(), spread: None };
        Self { fragments, visited: HashSet::new(), open: vec![own] }
    }

    /// The next selection.
    pub(super) fn next(&mut self) -> Option<&'d Selection> {
        loop {
            match self.open.last_mut()?.selections.next() {
                Some(selection) => return Some(selection),
                None => drop(self.open.pop()),
            }
        }
    }

    /// Lets what is below this selection come next: a fragment's selections not a second time.
    pub(super) fn enter(&mut self, selection: &'d Selection) {
        let (selections, spread) = match selection {
            Selection::Field(field) => (field.selection_set.as_deref().unwrap_or_default(), None),
            Selection::InlineFragment(inline) => (inline.selection_set.as_slice(), None),
            Selection::FragmentSpread(spread) => match self.fragments.get(&spread.fragment_name) {
                Some(fragment) if self.visited.insert(&spread.fragment_name) => {
                    (fragment.selection_set.as_slice(), spread.location())
                }
                _ => return,
            },
        };
        self.open.push(Open { selections: selections.iter(), spread });
    }

    /// The type that a fragment says it is of, if it does.
    pub(super) fn condition(&self, selection: &'d Selection) -> Option<&'d Name> {
        match selection {
            Selection::Field(_) => None,
            Selection::InlineFragment(inline) => inline.type_condition.as_ref(),
            Selection::FragmentSpread(spread) => {
                self.fragments.get(&spread.fragment_name).map(|it| &it.type_condition)
            }
        }
    }

    /// The spreads that lead to the selection that was met last, the nearest first.
    pub(super) fn spreads(&self) -> impl Iterator<Item = Option<SourceSpan>> {
        self.open.iter().rev().map(|it| it.spread).filter(Option::is_some)
    }
}

/// A selection's directives.
pub(super) fn directives(selection: &Selection) -> &DirectiveList {
    match selection {
        Selection::Field(field) => &field.directives,
        Selection::InlineFragment(inline) => &inline.directives,
        Selection::FragmentSpread(spread) => &spread.directives,
    }
}
