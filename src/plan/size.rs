//! How large a document becomes once its fragments are expanded: counted before validation, each
//! fragment once, so that fragments that double thirty times cost no more than thirty fragments.

use std::collections::HashMap;

use apollo_compiler::ast::{Definition, Document, FragmentDefinition, Selection};
use apollo_compiler::parser::SourceSpan;
use apollo_compiler::{Name, Node};

use super::document::{Limits, RequestError, Source};
use super::lexical::{DEEPEST, too_deep};
use crate::failure::Code;

/// Refuses a document whose operations have too many fields or nest them too deep when fragments
/// are expanded, whose fragments spread themselves, or in which braces select nothing.
pub(super) fn check(
    document: &Document,
    source: &Source,
    limits: &Limits,
) -> Result<(), RequestError> {
    let fragments = document.definitions.iter().filter_map(Definition::as_fragment_definition);
    let mut sizes = Sizes {
        source,
        fragments: fragments.map(|fragment| (&fragment.name, fragment)).collect(),
        known: HashMap::new(),
    };
    let mut total = 0usize;
    for definition in &document.definitions {
        match definition {
            Definition::OperationDefinition(operation) => {
                let size = sizes.expanded(&operation.selection_set, operation.location())?;
                total = total.saturating_add(size.fields);
                let refused = |message| {
                    let locations = source.locations([operation.location()]);
                    Err(RequestError::new(Code::QueryTooComplex, message).at(locations))
                };
                let nesting = limits.nesting.min(DEEPEST);
                if size.depth > nesting {
                    return refused(too_deep(nesting));
                }
                if total > limits.fields {
                    return refused(too_many(limits.fields));
                }
            }
            Definition::FragmentDefinition(fragment) => {
                sizes.expanded(&fragment.selection_set, fragment.location())?;
            }
            _ => {}
        }
    }
    Ok(())
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
}

impl<'a> Sizes<'a> {
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
                        return Err(self.cycle(next.0, within.chain([next.1])));
                    }
                    open.push(next);
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

    /// The error of a fragment that these spreads lead back to.
    fn cycle(
        &self,
        name: &Name,
        spreads: impl Iterator<Item = Option<SourceSpan>>,
    ) -> RequestError {
        let message = format!("The fragment `{name}` cannot spread itself.");
        let locations = self.source.locations(spreads);
        RequestError::new(Code::GraphqlValidationFailed, message).at(locations)
    }
}
