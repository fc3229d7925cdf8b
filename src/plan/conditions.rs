//! `@skip` and `@include` (specification sections 3.13.1, 3.13.2), `@defer(if:)` and `@stream(if:)`:
//! which variables they read, and what they come to once those are known.

use std::collections::HashSet;

use apollo_compiler::Name;
use apollo_compiler::ast::{DirectiveList, Value};
use apollo_compiler::executable::{ExecutableDocument, Operation as Node, Selection, SelectionSet};

use super::document::Operation;

/// The values of the variables that an operation's conditions read, in the order of
/// [`Operation::condition_variables`]. A plan is made for one mask and carries no conditions.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Mask(Box<[bool]>);

impl Mask {
    /// A mask by its values; what is missing counts as true.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = bool>) -> Self {
        Self(values.into_iter().collect())
    }

    pub(super) fn values(&self) -> impl Iterator<Item = bool> {
        self.0.iter().copied()
    }
}

/// The variables that the conditions of an operation read, by index in its declarations.
pub(super) fn variables(document: &ExecutableDocument, operation: &Node) -> Box<[u32]> {
    let mut found = Found { document, names: HashSet::new(), visited: HashSet::new() };
    found.selections(&operation.selection_set);
    let declared = operation.variables.iter().zip(0u32..);
    declared
        .filter(|(variable, _)| found.names.contains(&variable.name))
        .map(|(_, index)| index)
        .collect()
}

struct Found<'d> {
    document: &'d ExecutableDocument,
    names: HashSet<&'d Name>,
    visited: HashSet<&'d Name>,
}

impl<'d> Found<'d> {
    fn selections(&mut self, set: &'d SelectionSet) {
        for selection in &set.selections {
            let conditions = arguments(selection.directives()).filter_map(Value::as_variable);
            self.names.extend(conditions);
            match selection {
                Selection::Field(field) => {
                    if let Some(set) = &field.selection_set {
                        self.selections(set);
                    }
                }
                Selection::InlineFragment(inline) => self.selections(&inline.selection_set),
                Selection::FragmentSpread(spread) => {
                    let fragment = self.document.fragments.get(&spread.fragment_name);
                    if let Some(fragment) = fragment
                        && self.visited.insert(&spread.fragment_name)
                    {
                        self.selections(&fragment.selection_set);
                    }
                }
            }
        }
    }
}

/// The `if` arguments of the conditions among these directives.
fn arguments(directives: &DirectiveList) -> impl Iterator<Item = &Value> {
    ["skip", "include", "defer", "stream"]
        .into_iter()
        .filter_map(|name| Some(directives.get(name)?.specified_argument_by_name("if")?.as_ref()))
}

/// The conditions of one operation, decided.
pub(super) struct Conditions<'a> {
    operation: Operation<'a>,
    mask: &'a Mask,
}

impl<'a> Conditions<'a> {
    pub(super) fn new(operation: Operation<'a>, mask: &'a Mask) -> Self {
        Self { operation, mask }
    }

    /// Whether what stands under these directives is wanted (specification section 6.3.2).
    pub(super) fn allow(&self, directives: &DirectiveList) -> bool {
        self.decided("skip", directives) != Some(true)
            && self.decided("include", directives) != Some(false)
    }

    /// Whether `@defer` or `@stream` is asked for here.
    pub(super) fn asks(&self, name: &str, directives: &DirectiveList) -> bool {
        directives.has(name) && self.decided(name, directives) != Some(false)
    }

    fn decided(&self, name: &str, directives: &DirectiveList) -> Option<bool> {
        let argument = directives.get(name)?.specified_argument_by_name("if")?;
        match argument.as_ref() {
            Value::Boolean(value) => Some(*value),
            Value::Variable(name) => Some(self.value(name)),
            _ => None,
        }
    }

    fn value(&self, name: &Name) -> bool {
        let conditions = self.operation.condition_variables().iter();
        let variables = self.operation.variables();
        let named = |index: &u32| {
            variables.get(*index as usize).is_some_and(|variable| variable.name() == name.as_str())
        };
        let mut values = conditions.zip(&self.mask.0);
        values.find(|(index, _)| named(index)).is_none_or(|(_, value)| *value)
    }
}
