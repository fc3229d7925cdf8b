//! How large a document becomes once its fragments are expanded: counted before validation, each
//! fragment once, so that fragments that double thirty times cost no more than thirty fragments.
//!
//! Cycles of fragments (specification section 5.5.2.2) are found on the way. Once they are opened,
//! whatever comes may follow every spread.

use std::collections::{HashMap, HashSet};

use apollo_compiler::ast::{
    Definition, DirectiveList, Document, Field, FragmentDefinition, InlineFragment, Selection,
};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::{Name, Node, name};

use super::document::{Limits, RequestError, Source};
use super::lexical::{DEEPEST, too_deep};
use super::validate::MOST_ERRORS;
use crate::failure::Code;

/// Refuses a document whose operations have too many fields or nest them too deep when fragments
/// are expanded, or in which braces select nothing; else gives the cycles of fragments.
pub(super) fn check(
    document: &Document,
    source: &Source,
    limits: &Limits,
) -> Result<Cycles, Vec<RequestError>> {
    let fragments = document.definitions.iter().filter_map(Definition::as_fragment_definition);
    let mut sizes = Sizes {
        source,
        fragments: fragments.map(|fragment| (&fragment.name, fragment)).collect(),
        known: HashMap::new(),
        cycles: Cycles::default(),
    };
    let measured = sizes.document(document, limits);
    let Cycles { errors, closing } = sizes.cycles;
    match measured {
        // How large it is can then hardly be said.
        Err(refused) if refused.failure.code == Code::QueryTooComplex && !errors.is_empty() => {
            Err(errors)
        }
        Err(refused) => Err(vec![refused]),
        Ok(()) => Ok(Cycles { errors, closing }),
    }
}

/// The cycles of a document's fragments.
#[derive(Debug, Default)]
pub(super) struct Cycles {
    errors: Vec<RequestError>,
    /// Where the spreads that close them begin.
    closing: HashSet<usize>,
}

impl Cycles {
    /// Puts `__typename` in the place of the spreads that close a cycle, and gives the errors that
    /// are told of them. What is to see the document as it is written must look before.
    pub(super) fn open(self, document: &mut Document) -> Vec<RequestError> {
        if !self.closing.is_empty() {
            for definition in &mut document.definitions {
                if let Definition::FragmentDefinition(fragment) = definition {
                    open(&mut fragment.make_mut().selection_set, &self.closing);
                }
            }
        }
        self.errors
    }
}

/// Puts `__typename` in the place of the spreads that close a cycle, beneath their directives.
fn open(selections: &mut [Selection], closing: &HashSet<usize>) {
    for selection in selections {
        match selection {
            Selection::Field(field) => {
                if field.selection_set.is_some() {
                    let selections = field.make_mut().selection_set.as_deref_mut();
                    open(selections.unwrap_or_default(), closing);
                }
            }
            Selection::InlineFragment(inline) => {
                open(&mut inline.make_mut().selection_set, closing);
            }
            Selection::FragmentSpread(spread) => {
                if closing.contains(&beginning(spread.location())) {
                    *selection = Selection::InlineFragment(Node::new(InlineFragment {
                        type_condition: None,
                        directives: spread.directives.clone(),
                        selection_set: vec![Selection::Field(Node::new(typename()))],
                    }));
                }
            }
        }
    }
}

fn typename() -> Field {
    Field {
        alias: None,
        name: name!("__typename"),
        arguments: Vec::new(),
        directives: DirectiveList::new(),
        selection_set: None,
    }
}

/// What is said of an operation that selects too much.
pub(super) fn too_many(fields: usize) -> String {
    format!("The document selects more than {fields} fields, each spread of a fragment counted.")
}

/// The size of a selection set with its fragments expanded.
#[derive(Clone, Copy, Default)]
struct Size {
    fields: usize,
    depth: usize,
}

/// A spread of a fragment: which, and where.
type Spread<'a> = (&'a Name, Option<SourceSpan>);

struct Sizes<'a> {
    source: &'a Source,
    fragments: HashMap<&'a Name, &'a Node<FragmentDefinition>>,
    known: HashMap<&'a Name, Size>,
    cycles: Cycles,
}

impl<'a> Sizes<'a> {
    /// Measures all operations, and all fragments.
    fn document(&mut self, document: &'a Document, limits: &Limits) -> Result<(), RequestError> {
        let nesting = limits.nesting.min(DEEPEST);
        let mut total = 0usize;
        for definition in &document.definitions {
            match definition {
                Definition::OperationDefinition(operation) => {
                    let size = self.expanded(&operation.selection_set, operation.location())?;
                    total = total.saturating_add(size.fields);
                    let refused = |message| {
                        let locations = self.source.locations([operation.location()]);
                        Err(RequestError::new(Code::QueryTooComplex, message).at(locations))
                    };
                    if size.depth > nesting {
                        return refused(too_deep(nesting));
                    }
                    if total > limits.fields {
                        return refused(too_many(limits.fields));
                    }
                }
                Definition::FragmentDefinition(fragment) => {
                    self.expanded(&fragment.selection_set, fragment.location())?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Measures what this spreads first, without recursing from fragment to fragment: a chain of
    /// fragments may be as long as the document.
    fn expanded(
        &mut self,
        selections: &'a [Selection],
        location: Option<SourceSpan>,
    ) -> Result<Size, RequestError> {
        let mut open: Vec<Spread<'a>> = Vec::new();
        loop {
            let current = match open.last() {
                Some((name, _)) => self
                    .fragments
                    .get(name)
                    .map(|fragment| (fragment.selection_set.as_slice(), fragment.location())),
                None => Some((selections, location)),
            };
            let Some((selections, location)) = current else {
                open.pop();
                continue;
            };
            let mut unknown = None;
            let size = self.measure(selections, location, &mut unknown)?;
            match (unknown, open.last()) {
                (Some(next), _) => {
                    if let Some(first) = open.iter().position(|(name, _)| *name == next.0) {
                        let within = open.iter().skip(first + 1).map(|(_, place)| *place);
                        let spreads: Vec<_> = within.chain([next.1]).collect();
                        self.cycle(next, &spreads);
                    } else {
                        open.push(next);
                    }
                }
                (None, Some((name, _))) => {
                    self.known.insert(name, size);
                    open.pop();
                }
                (None, None) => return Ok(size),
            }
        }
    }

    /// The size of a selection set as far as its fragments are known; else the first that is not.
    fn measure(
        &self,
        selections: &'a [Selection],
        location: Option<SourceSpan>,
        unknown: &mut Option<Spread<'a>>,
    ) -> Result<Size, RequestError> {
        if selections.is_empty() {
            let message = "Syntax error: expected a field or a fragment between the braces.";
            let locations = self.source.locations([location]);
            return Err(RequestError::new(Code::GraphqlParseFailed, message).at(locations));
        }
        let mut size = Size::default();
        for selection in selections {
            let inner = match selection {
                Selection::Field(field) => {
                    size.fields = size.fields.saturating_add(1);
                    match &field.selection_set {
                        Some(inner) => self.measure(inner, field.location(), unknown)?,
                        None => Size::default(),
                    }
                }
                Selection::InlineFragment(inline) => {
                    self.measure(&inline.selection_set, inline.location(), unknown)?
                }
                Selection::FragmentSpread(spread) => {
                    let name = &spread.fragment_name;
                    match (self.known.get(name), self.fragments.contains_key(name)) {
                        (Some(known), _) => *known,
                        (None, true) if self.closes(spread.location()) => Size::default(),
                        (None, true) => {
                            unknown.get_or_insert((name, spread.location()));
                            Size::default()
                        }
                        // Validation reports a fragment that is not there.
                        (None, false) => Size::default(),
                    }
                }
            };
            size.fields = size.fields.saturating_add(inner.fields);
            size.depth = size.depth.max(inner.depth);
        }
        Ok(Size { fields: size.fields, depth: size.depth.saturating_add(1) })
    }

    fn closes(&self, spread: Option<SourceSpan>) -> bool {
        self.cycles.closing.contains(&beginning(spread))
    }

    /// A fragment that these spreads lead back to, the last of which closes the cycle.
    fn cycle(&mut self, (name, closing): Spread<'a>, spreads: &[Option<SourceSpan>]) {
        self.cycles.closing.insert(beginning(closing));
        if self.cycles.errors.len() < MOST_ERRORS {
            let message = format!("The fragment `{name}` cannot spread itself.");
            let locations = self.source.locations(spreads.iter().copied());
            let error = RequestError::new(Code::GraphqlValidationFailed, message).at(locations);
            self.cycles.errors.push(error);
        }
    }
}

fn beginning(span: Option<SourceSpan>) -> usize {
    span.map_or(usize::MAX, |span| span.offset())
}
