//! `CollectFields` (specification section 6.3.2): what a selection set selects of one object type,
//! as far as the planned portion of the operation has it.

use std::collections::HashSet;

use apollo_compiler::executable::{Field, FragmentMap, Selection, SelectionSet};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node, Schema};
use indexmap::{IndexMap, IndexSet};

use super::conditions::Conditions;
use super::parts::{PartId, Parts, Portion};

/// What is selected of one object type.
#[derive(Default)]
pub(super) struct Collected<'d> {
    /// Fields by response key, in the order of the first of each.
    pub(super) fields: IndexMap<&'d Name, Vec<Chosen<'d>>>,
    /// Parts that come later than what is collected here.
    pub(super) later: IndexSet<PartId>,
}

impl Collected<'_> {
    /// Each field by itself. Nothing at the root of a mutation comes later (the draft forbids it).
    pub(super) fn one_by_one(self) -> Vec<Self> {
        let one = |field| Self { fields: IndexMap::from_iter([field]), later: IndexSet::new() };
        self.fields.into_iter().map(one).collect()
    }
}

/// A field that is selected.
#[derive(Clone, Copy)]
pub(super) struct Chosen<'d> {
    pub(super) node: &'d Node<Field>,
    /// Whether it belongs to the part that is planned.
    pub(super) inside: bool,
}

/// Collects the fields of one operation.
pub(super) struct Collector<'d> {
    pub(super) schema: &'d Schema,
    pub(super) fragments: &'d FragmentMap,
    pub(super) conditions: Conditions<'d>,
    pub(super) portion: Portion,
    /// None, if all of the operation is planned.
    pub(super) parts: Parts,
}

/// What is collected from one or more selection sets.
struct Collecting<'d> {
    visited: HashSet<(&'d Name, bool)>,
    collected: Collected<'d>,
}

impl<'d> Collector<'d> {
    /// What these selection sets, merged, select of an object type; of each it is known whether it
    /// belongs to the part that is planned.
    pub(super) fn collect(
        &self,
        object: &Name,
        sets: impl IntoIterator<Item = (&'d SelectionSet, bool)>,
    ) -> Collected<'d> {
        let mut collecting =
            Collecting { visited: HashSet::new(), collected: Collected::default() };
        for (set, inside) in sets {
            self.selections(object, set, inside, &mut collecting);
        }
        collecting.collected
    }

    fn selections(
        &self,
        object: &Name,
        set: &'d SelectionSet,
        inside: bool,
        into: &mut Collecting<'d>,
    ) {
        for selection in &set.selections {
            if !self.conditions.allow(selection.directives()) {
                continue;
            }
            match selection {
                Selection::Field(node) => {
                    let fields = &mut into.collected.fields;
                    fields.entry(node.response_name()).or_default().push(Chosen { node, inside });
                }
                Selection::InlineFragment(inline) => {
                    let condition = inline.type_condition.as_ref();
                    if condition.is_none_or(|condition| self.applies(object, condition))
                        && let Some(inside) =
                            self.enters(selection, &inline.selection_set, inside, into)
                    {
                        self.selections(object, &inline.selection_set, inside, into);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.fragments.get(&spread.fragment_name)
                        && self.applies(object, fragment.type_condition())
                        && let Some(inside) =
                            self.enters(selection, &fragment.selection_set, inside, into)
                        && into.visited.insert((&spread.fragment_name, inside))
                    {
                        self.selections(object, &fragment.selection_set, inside, into);
                    }
                }
            }
        }
    }

    /// Whether a fragment's fields are collected here, and then whether they belong to the part
    /// that is planned.
    fn enters(
        &self,
        fragment: &Selection,
        set: &SelectionSet,
        inside: bool,
        into: &mut Collecting<'d>,
    ) -> Option<bool> {
        let Some(part) = self.parts.id(fragment) else { return Some(inside) };
        match self.portion {
            Portion::Whole => Some(inside),
            Portion::Part(planned) | Portion::WholePart(planned) if planned == part => Some(true),
            Portion::Part(planned) | Portion::WholePart(planned) if !inside => {
                self.parts.lead(set, planned).then_some(false)
            }
            Portion::First | Portion::Part(_) | Portion::WholePart(_) => {
                into.collected.later.insert(part);
                None
            }
        }
    }

    /// `DoesFragmentTypeApply`.
    fn applies(&self, object: &Name, condition: &Name) -> bool {
        match self.schema.types.get(condition) {
            Some(ExtendedType::Interface(_)) => self
                .schema
                .get_object(object)
                .is_some_and(|object| object.implements_interfaces.contains(condition)),
            Some(ExtendedType::Union(union)) => union.members.contains(object),
            _ => object == condition,
        }
    }
}
