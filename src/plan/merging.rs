//! Fields of one response key are one field (specification section 5.3.2). The rule is our own: the
//! compiler's takes `[1]` and `[1, 2]` for the same value and names one of the two fields only.
//!
//! Merged selection sets are judged as a whole, first for those that may be asked of one object, then
//! for their shape, and each only once: that is linear where fields are compared in pairs is
//! not (`FieldsInSetCanMerge` as XING has described it). Fragments must not form cycles.
//!
//! A list that streams is asked for by one field only, whoever is asked: the working draft of
//! incremental delivery has no way yet to merge two, be they the same.

use std::collections::{HashMap, HashSet, VecDeque};

use apollo_compiler::ast::{Argument, Type, Value};
use apollo_compiler::executable::{ExecutableDocument, Field, Selection, SelectionSet};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node, Schema};
use indexmap::IndexMap;

use super::document::{RequestError, Source};
use super::validate::MOST_ERRORS;
use crate::failure::Code;

/// Checks that fields of one response key can be merged, in every operation.
pub(super) fn check(
    schema: &Schema,
    document: &ExecutableDocument,
    source: &Source,
) -> Vec<RequestError> {
    let seen = HashSet::new();
    let mut merging = Merging { schema, document, source, seen, errors: Vec::new() };
    for operation in document.operations.iter() {
        let fields = merging.expanded([&operation.selection_set]);
        merging.parents(&fields);
        merging.shapes(&fields);
    }
    merging.errors
}

struct Merging<'a> {
    schema: &'a Schema,
    document: &'a ExecutableDocument,
    source: &'a Source,
    /// The sets of fields that were judged, and by which rule.
    seen: HashSet<(Rule, Vec<*const Field>)>,
    errors: Vec<RequestError>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Rule {
    Shapes,
    Parents,
}

/// A field, and the type it is selected of.
#[derive(Clone, Copy)]
struct Selected<'a> {
    parent: &'a Name,
    field: &'a Node<Field>,
}

impl<'a> Merging<'a> {
    /// The fields of these selection sets, each fragment's once.
    fn expanded(&self, sets: impl IntoIterator<Item = &'a SelectionSet>) -> Vec<Selected<'a>> {
        let mut fields = Vec::new();
        let mut spread = HashSet::new();
        let mut open: VecDeque<_> = sets.into_iter().collect();
        while let Some(set) = open.pop_front() {
            for selection in &set.selections {
                match selection {
                    Selection::Field(field) => fields.push(Selected { parent: &set.ty, field }),
                    Selection::InlineFragment(inline) => open.push_back(&inline.selection_set),
                    Selection::FragmentSpread(named) if spread.insert(&named.fragment_name) => {
                        let fragment = self.document.fragments.get(&named.fragment_name);
                        open.extend(fragment.map(|fragment| &fragment.selection_set));
                    }
                    Selection::FragmentSpread(_) => {}
                }
            }
        }
        fields
    }

    /// The fields that these fields' own selection sets hold together.
    fn below(&self, fields: &[Selected<'a>]) -> Vec<Selected<'a>> {
        self.expanded(fields.iter().filter_map(|it| it.field.selection_set.as_ref()))
    }

    fn is_new(&mut self, rule: Rule, fields: &[Selected<'a>]) -> bool {
        let addresses = fields.iter().map(|it| std::ptr::from_ref::<Field>(it.field)).collect();
        !fields.is_empty() && self.seen.insert((rule, addresses))
    }

    /// `SameResponseShape`, whatever object is asked.
    fn shapes(&mut self, fields: &[Selected<'a>]) {
        if !self.is_new(Rule::Shapes, fields) {
            return;
        }
        for (key, fields) in by_key(fields) {
            for (one, other) in pairs(&fields) {
                let (of_one, of_other) = (one.field.ty(), other.field.ty());
                if one.streams() || other.streams() {
                    let both = one.streams() && other.streams();
                    let found = if both { "that both stream" } else { "of which one streams" };
                    self.report(key, &format!("two lists {found}"), one, other);
                } else if !self.same_shape(of_one, of_other) {
                    let (one_is, other_is) = (one.coordinate(), other.coordinate());
                    let found =
                        format!("`{of_one}` of `{one_is}` and `{of_other}` of `{other_is}`");
                    self.report(key, &found, one, other);
                }
            }
            let below = self.below(&fields);
            self.shapes(&below);
        }
    }

    /// Those that one object may be asked for must ask for the same.
    fn parents(&mut self, fields: &[Selected<'a>]) {
        if !self.is_new(Rule::Parents, fields) {
            return;
        }
        for (key, fields) in by_key(fields) {
            for fields in self.by_parent(&fields) {
                for (one, other) in pairs(&fields) {
                    if one.field.name != other.field.name {
                        let (one_is, other_is) = (one.coordinate(), other.coordinate());
                        self.report(key, &format!("`{one_is}` and `{other_is}`"), one, other);
                    } else if let Some(argument) =
                        differing(&one.field.arguments, &other.field.arguments)
                    {
                        let found = format!("`{}` with different `{argument}`", one.coordinate());
                        self.report(key, &found, one, other);
                    }
                }
                let below = self.below(&fields);
                self.parents(&below);
            }
        }
    }

    /// An object type's fields with those of abstract types, any of which it might be.
    fn by_parent(&self, fields: &[Selected<'a>]) -> Vec<Vec<Selected<'a>>> {
        let mut anywhere = Vec::new();
        let mut objects: IndexMap<&Name, Vec<Selected<'a>>> = IndexMap::new();
        for field in fields {
            match self.schema.types.get(field.parent) {
                Some(ExtendedType::Object(_)) => {
                    objects.entry(field.parent).or_default().push(*field);
                }
                _ => anywhere.push(*field),
            }
        }
        if objects.is_empty() {
            return vec![anywhere];
        }
        for fields in objects.values_mut() {
            fields.extend_from_slice(&anywhere);
        }
        objects.into_values().collect()
    }

    fn same_shape(&self, one: &Type, other: &Type) -> bool {
        match (one, other) {
            (Type::List(one), Type::List(other))
            | (Type::NonNullList(one), Type::NonNullList(other)) => self.same_shape(one, other),
            (Type::Named(one), Type::Named(other))
            | (Type::NonNullNamed(one), Type::NonNullNamed(other)) => {
                one == other || self.is_composite(one) && self.is_composite(other)
            }
            _ => false,
        }
    }

    fn is_composite(&self, name: &Name) -> bool {
        self.schema.types.get(name).is_some_and(|ty| !ty.is_leaf())
    }

    fn report(&mut self, key: &Name, found: &str, one: Selected<'_>, other: Selected<'_>) {
        let message = format!("`{key}` would be {found}; give one of them another alias.");
        let locations = self.source.locations([one.field.location(), other.field.location()]);
        // Of two fields it is enough to say one thing.
        let told = self.errors.iter().any(|error| error.locations == locations);
        if self.errors.len() < MOST_ERRORS && !told {
            let error = RequestError::new(Code::GraphqlValidationFailed, message);
            self.errors.push(error.at(locations));
        }
    }
}

impl Selected<'_> {
    fn streams(self) -> bool {
        self.field.directives.has("stream")
    }

    fn coordinate(self) -> String {
        format!("{}.{}", self.parent, self.field.name)
    }
}

fn by_key<'a>(fields: &[Selected<'a>]) -> IndexMap<&'a Name, Vec<Selected<'a>>> {
    let mut keys: IndexMap<_, Vec<_>> = IndexMap::new();
    for field in fields {
        keys.entry(field.field.response_name()).or_default().push(*field);
    }
    keys
}

/// The first with each other: what is the same as the first is the same among itself.
fn pairs<'a>(fields: &[Selected<'a>]) -> impl Iterator<Item = (Selected<'a>, Selected<'a>)> {
    let first = fields.first().copied();
    first.into_iter().flat_map(|first| fields.iter().skip(1).map(move |other| (first, *other)))
}

/// The name of an argument that only one has, or both with other values.
fn differing<'a>(one: &'a [Node<Argument>], other: &'a [Node<Argument>]) -> Option<&'a Name> {
    let known: HashMap<_, _> = other.iter().map(|it| (&it.name, &it.value)).collect();
    let differs = |it: &&Node<Argument>| {
        !known.get(&it.name).is_some_and(|value| same_value(&it.value, value))
    };
    let names: HashSet<_> = one.iter().map(|it| &it.name).collect();
    let missing = |it: &&Node<Argument>| !names.contains(&it.name);
    one.iter().find(differs).or_else(|| other.iter().find(missing)).map(|it| &it.name)
}

/// Whether two literals are the same value: the order of an object's fields tells nothing.
fn same_value(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(one, other)| same_value(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            let others: HashMap<_, _> = other.iter().map(|(name, value)| (name, value)).collect();
            let same = |(name, value): &(Name, Node<Value>)| {
                others.get(name).is_some_and(|other| same_value(value, other))
            };
            one.len() == other.len() && one.iter().all(same)
        }
        _ => one == other,
    }
}
