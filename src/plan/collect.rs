//! `CollectFields` (specification section 6.3.2): what a selection set selects of one object type.

use std::collections::HashSet;

use apollo_compiler::executable::{Field, FragmentMap, Selection, SelectionSet};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node, Schema};
use indexmap::IndexMap;

use super::conditions::Conditions;

/// Fields by response key, in the order of the first of each.
pub(super) type Collected<'d> = IndexMap<&'d Name, Vec<&'d Node<Field>>>;

/// Collects the fields of one operation.
pub(super) struct Collector<'d> {
    pub(super) schema: &'d Schema,
    pub(super) fragments: &'d FragmentMap,
    pub(super) conditions: Conditions<'d>,
}

impl<'d> Collector<'d> {
    /// What these selection sets, merged, select of an object type.
    pub(super) fn collect(
        &self,
        object: &Name,
        sets: impl IntoIterator<Item = &'d SelectionSet>,
    ) -> Collected<'d> {
        let mut collected = Collected::new();
        let mut visited = HashSet::new();
        for set in sets {
            self.selections(object, set, &mut visited, &mut collected);
        }
        collected
    }

    fn selections(
        &self,
        object: &Name,
        set: &'d SelectionSet,
        visited: &mut HashSet<&'d Name>,
        collected: &mut Collected<'d>,
    ) {
        for selection in &set.selections {
            if !self.conditions.allow(selection.directives()) {
                continue;
            }
            match selection {
                Selection::Field(field) => {
                    collected.entry(field.response_name()).or_default().push(field);
                }
                Selection::InlineFragment(inline) => {
                    let condition = inline.type_condition.as_ref();
                    if condition.is_none_or(|condition| self.applies(object, condition)) {
                        self.selections(object, &inline.selection_set, visited, collected);
                    }
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = self.fragments.get(&spread.fragment_name)
                        && visited.insert(&spread.fragment_name)
                        && self.applies(object, fragment.type_condition())
                    {
                        self.selections(object, &fragment.selection_set, visited, collected);
                    }
                }
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
