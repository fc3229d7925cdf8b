//! Incremental delivery: the parts of an operation that may come after its first response (`@defer`
//! and `@stream`, of the working draft), and which of them a selection set leads to.
//!
//! Only what has a request of its own is worth waiting for: a deferred fragment without one, and a
//! streamed list that lies in its parent's answer, come with the first response, as the draft allows.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use apollo_compiler::Name;
use apollo_compiler::ast::{DirectiveList, Value};
use apollo_compiler::executable::{Field, Selection, SelectionSet};

use super::conditions::Conditions;
use super::document::Operation;
use super::{Input, Variables};
use crate::failure::{Code, Failure};
use crate::schema::{Catalog, Source};

/// The most parts of one operation. Each is a plan and an execution of its own, so that a client
/// must not have any number of them; what is over it comes with what is around it.
const MOST: usize = 16;

/// The most places of one operation where something asks to come later. Above it nothing does: a few
/// fragments in each other stand in any number of places, and each place is a path to be kept.
const MOST_PLACES: usize = 1_000;

/// Index of a part among those of its operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PartId(pub u8);

/// What of an operation a plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Portion {
    /// All of it.
    Whole,
    /// What the first response holds.
    First,
    /// What a part brings beside what came before it.
    Part(PartId),
    /// All that a part selects, also what came before it.
    WholePart(PartId),
}

/// A part of an operation that may come later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Its `label`.
    pub label: Option<Box<str>>,
    /// What it brings.
    pub brings: Brings,
}

/// What a part brings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Brings {
    /// Fields of an object (`@defer`).
    Fields,
    /// Items of the list under this response key, after so many (`@stream`, its `initialCount`).
    Items(Box<str>, Input),
}

impl Part {
    /// How many items of its list are no part of it, for these variables. Of fields none are.
    ///
    /// # Errors
    /// `BAD_USER_INPUT` for an `initialCount` below zero, or null. It fails the list's field (the
    /// working draft's section on `@stream`).
    pub fn first_items(&self, variables: &Variables) -> Result<usize, Arc<Failure>> {
        let Brings::Items(_, count) = &self.brings else { return Ok(0) };
        count.number(variables).and_then(|count| usize::try_from(count).ok()).ok_or_else(|| {
            let message = "`initialCount` of `@stream` must be 0 or more.";
            Failure::new(Code::BadUserInput, message).into()
        })
    }
}

/// The parts of one operation.
#[derive(Debug, Default)]
pub(super) struct Parts {
    all: Vec<Part>,
    /// By the address of the fragment or field that is one.
    ids: HashMap<usize, PartId>,
    /// What each selection set leads to, by its address: a bit for each part.
    leads: HashMap<usize, u32>,
}

impl Parts {
    /// The parts of an operation under these conditions.
    pub(super) fn of(
        catalog: &Catalog,
        operation: Operation<'_>,
        conditions: &Conditions<'_>,
    ) -> Self {
        let Some(nested) = Occurrences::of(operation, conditions).nested() else {
            return Self::default();
        };
        let mut scan = Scan {
            catalog,
            operation,
            conditions,
            parts: Self::default(),
            fetches: HashMap::new(),
            nested,
        };
        scan.set(&operation.node().selection_set);
        scan.parts
    }

    pub(super) fn into_all(self) -> Vec<Part> {
        self.all
    }

    /// The part that a selection is, if it is one.
    pub(super) fn id(&self, selection: &Selection) -> Option<PartId> {
        self.ids.get(&address(selection)).copied()
    }

    /// The part that a field is.
    pub(super) fn of_field(&self, field: &Field) -> Option<PartId> {
        self.ids.get(&std::ptr::from_ref(field).addr()).copied()
    }

    /// Whether a selection set leads to a part.
    pub(super) fn lead(&self, set: &SelectionSet, part: PartId) -> bool {
        let leads = self.leads.get(&std::ptr::from_ref(set).addr());
        leads.is_some_and(|leads| leads & bit(part) != 0)
    }
}

fn bit(part: PartId) -> u32 {
    1 << part.0
}

/// The address of a selection's node, which stays as long as its document.
fn address(selection: &Selection) -> usize {
    match selection {
        Selection::Field(field) => std::ptr::from_ref(field.as_ref()).addr(),
        Selection::InlineFragment(inline) => std::ptr::from_ref(inline.as_ref()).addr(),
        Selection::FragmentSpread(spread) => std::ptr::from_ref(spread.as_ref()).addr(),
    }
}

struct Scan<'s> {
    catalog: &'s Catalog,
    operation: Operation<'s>,
    conditions: &'s Conditions<'s>,
    parts: Parts,
    /// Whether a selection set has a request of its own, by its address.
    fetches: HashMap<usize, bool>,
    /// Fragments and fields that stand below themselves, by their addresses.
    nested: HashSet<usize>,
}

impl<'s> Scan<'s> {
    /// What a selection set leads to.
    fn set(&mut self, set: &'s SelectionSet) -> u32 {
        let address = std::ptr::from_ref(set).addr();
        if let Some(known) = self.parts.leads.get(&address) {
            return *known;
        }
        let mut leads = 0;
        for selection in &set.selections {
            if self.conditions.allow(selection.directives()) {
                leads |= self.selection(&set.ty, selection);
            }
        }
        self.parts.leads.insert(address, leads);
        leads
    }

    fn selection(&mut self, ty: &Name, selection: &'s Selection) -> u32 {
        match selection {
            Selection::Field(field) => {
                let below = field.selection_set.as_ref().map_or(0, |set| self.set(set));
                let part = self.streamed(ty, field);
                let part = part.filter(|_| !self.nested.contains(&address(selection)));
                let part = part.and_then(|part| self.add(selection, part));
                below | part.map_or(0, bit)
            }
            Selection::InlineFragment(inline) => {
                self.fragment(selection, &inline.directives, &inline.selection_set)
            }
            Selection::FragmentSpread(spread) => {
                let fragments = self.operation.document().fragments();
                let fragment = fragments.get(&spread.fragment_name);
                fragment.map_or(0, |fragment| {
                    self.fragment(selection, &spread.directives, &fragment.selection_set)
                })
            }
        }
    }

    fn fragment(
        &mut self,
        selection: &'s Selection,
        directives: &DirectiveList,
        set: &'s SelectionSet,
    ) -> u32 {
        let below = self.set(set);
        let asked = self.conditions.asks("defer", directives);
        if !asked || self.nested.contains(&address(selection)) || !self.has_fetch(set) {
            return below;
        }
        let part = Part { label: label("defer", directives), brings: Brings::Fields };
        below | self.add(selection, part).map_or(0, bit)
    }

    /// A list that has a request of its own, and is to be streamed after a number of items.
    fn streamed(&self, ty: &Name, field: &Field) -> Option<Part> {
        let directives = &field.directives;
        if !self.conditions.asks("stream", directives)
            || !field.ty().is_list()
            || !self.has_own_fetch(ty, &field.name)
        {
            return None;
        }
        let count = directives.get("stream")?.specified_argument_by_name("initialCount");
        let count = match count.map(|count| count.as_ref()) {
            None => Input::text(*b"0"),
            Some(Value::Int(count)) => Input::text(count.as_str()),
            Some(Value::Variable(name)) => {
                let declared = self.operation.variables().iter().zip(0u32..);
                let mut named = declared.filter(|(it, _)| it.name() == name.as_str());
                let (_, index) = named.next()?;
                Input::Variable { index, default: Some((*b"0").into()), nullable: false }
            }
            Some(_) => return None,
        };
        let brings = Brings::Items(field.response_name().as_str().into(), count);
        Some(Part { label: label("stream", directives), brings })
    }

    fn add(&mut self, selection: &Selection, part: Part) -> Option<PartId> {
        if self.parts.all.len() >= MOST {
            return None;
        }
        let id = PartId(u8::try_from(self.parts.all.len()).ok()?);
        self.parts.all.push(part);
        self.parts.ids.insert(address(selection), id);
        Some(id)
    }

    /// Whether anything in a selection set has a request of its own.
    fn has_fetch(&mut self, set: &'s SelectionSet) -> bool {
        let address = std::ptr::from_ref(set).addr();
        if let Some(known) = self.fetches.get(&address) {
            return *known;
        }
        let operation = self.operation;
        let allowed = set.selections.iter().filter(|it| self.conditions.allow(it.directives()));
        let allowed: Vec<&Selection> = allowed.collect();
        let has = allowed.into_iter().any(|selection| match selection {
            Selection::Field(field) => {
                self.has_own_fetch(&set.ty, &field.name)
                    || field.selection_set.as_ref().is_some_and(|set| self.has_fetch(set))
            }
            Selection::InlineFragment(inline) => self.has_fetch(&inline.selection_set),
            Selection::FragmentSpread(spread) => {
                let fragment = operation.document().fragments().get(&spread.fragment_name);
                fragment.is_some_and(|fragment| self.has_fetch(&fragment.selection_set))
            }
        });
        self.fetches.insert(address, has);
        has
    }

    fn has_own_fetch(&self, ty: &Name, field: &Name) -> bool {
        self.catalog.possible_types(ty).any(|object| {
            let known = self.catalog.field(object, field);
            known.is_some_and(|known| matches!(known.source, Source::Fetch(..) | Source::Lookup(_)))
        })
    }
}

/// Where everything stands that asks to come later, by its address: a named fragment brings what is
/// in it to each place where it is spread.
struct Occurrences<'s> {
    operation: Operation<'s>,
    conditions: &'s Conditions<'s>,
    path: Vec<&'s Name>,
    places: HashMap<usize, Vec<Vec<&'s Name>>>,
    count: usize,
}

impl<'s> Occurrences<'s> {
    fn of(operation: Operation<'s>, conditions: &'s Conditions<'s>) -> Self {
        let (path, places) = (Vec::new(), HashMap::new());
        let mut occurrences = Self { operation, conditions, path, places, count: 0 };
        occurrences.set(&operation.node().selection_set);
        occurrences
    }

    /// What stands at a place below another of its own. It is no part: what it selects above may be
    /// what leads to it below, of which only one can come first. `None`: there are too many places.
    fn nested(self) -> Option<HashSet<usize>> {
        let is_nested = |places: &mut Vec<Vec<&Name>>| {
            places.sort();
            places.dedup();
            // In this order what lies below a place follows it.
            places.windows(2).any(|two| matches!(two, [above, below] if below.starts_with(above)))
        };
        let places = self.places.into_iter();
        let nested = places.filter_map(|(it, mut places)| is_nested(&mut places).then_some(it));
        (self.count <= MOST_PLACES).then(|| nested.collect())
    }

    /// Ends, since a document has no more fields than its limit, spread fragments counted.
    fn set(&mut self, set: &'s SelectionSet) {
        for selection in &set.selections {
            if self.count > MOST_PLACES {
                return;
            }
            if !self.conditions.allow(selection.directives()) {
                continue;
            }
            match selection {
                Selection::Field(field) => {
                    self.path.push(field.response_name());
                    self.note("stream", selection);
                    field.selection_set.iter().for_each(|set| self.set(set));
                    self.path.pop();
                }
                Selection::InlineFragment(inline) => {
                    self.note("defer", selection);
                    self.set(&inline.selection_set);
                }
                Selection::FragmentSpread(spread) => {
                    self.note("defer", selection);
                    let fragments = self.operation.document().fragments();
                    let fragment = fragments.get(&spread.fragment_name);
                    fragment.into_iter().for_each(|fragment| self.set(&fragment.selection_set));
                }
            }
        }
    }

    fn note(&mut self, directive: &str, selection: &Selection) {
        if self.conditions.asks(directive, selection.directives()) {
            self.count += 1;
            self.places.entry(address(selection)).or_default().push(self.path.clone());
        }
    }
}

fn label(directive: &str, directives: &DirectiveList) -> Option<Box<str>> {
    let label = directives.get(directive)?.specified_argument_by_name("label")?;
    label.as_str().map(Into::into)
}
