//! What a field is to the portion of an operation that is planned: one of its own, one that only
//! leads to such, or a list that is cut short.

use std::sync::Arc;

use super::build::Builder;
use super::collect::Chosen;
use super::parts::{PartId, Portion};
use super::{Cases, FetchId, Field, FieldValue, Hole, ItemNullable, Kind, Shape, Through};
use indexmap::IndexSet;

/// What selected fields of one response key are.
pub(super) enum Role<'a> {
    /// The portion's own.
    Own(Vec<Chosen<'a>>),
    /// They only lead to what is the portion's own.
    Leading(Vec<Chosen<'a>>),
}

impl<'a> Role<'a> {
    pub(super) fn nodes(&self) -> &[Chosen<'a>] {
        match self {
            Self::Own(nodes) | Self::Leading(nodes) => nodes,
        }
    }
}

impl<'a> Builder<'a> {
    /// What the fields of one response key are: nothing, one thing, or both.
    pub(super) fn roles(&self, nodes: &[Chosen<'a>]) -> Vec<Role<'a>> {
        let (part, repeats) = match self.collector.portion {
            Portion::Whole | Portion::First => return vec![Role::Own(nodes.to_vec())],
            Portion::Part(part) => (part, false),
            Portion::WholePart(part) => (part, true),
        };
        let parts = &self.collector.parts;
        if nodes.iter().any(|chosen| parts.of_field(chosen.node) == Some(part)) {
            let own = nodes.iter().map(|chosen| Chosen { inside: true, ..*chosen });
            return vec![Role::Own(own.collect())];
        }
        let (inside, outside): (Vec<_>, Vec<_>) = nodes.iter().partition(|chosen| chosen.inside);
        let leads = |chosen: &Chosen<'_>| {
            chosen.node.selection_set.as_ref().is_some_and(|set| parts.lead(set, part))
        };
        let is_object = nodes.iter().any(|chosen| chosen.node.selection_set.is_some());
        let leading = outside.iter().any(leads);
        let mut roles = Vec::new();
        if outside.is_empty() || (repeats && !inside.is_empty()) {
            roles.push(Role::Own(inside));
            if leading {
                roles.push(Role::Leading(outside));
            }
        } else if leading || (is_object && !inside.is_empty()) {
            // What came before has the field; only what it lacks below is the part's own.
            roles.push(Role::Leading(nodes.to_vec()));
        }
        roles
    }

    /// A field in its role; `None`: it leads to nothing. `later` takes the part that it is, if that
    /// comes later.
    pub(super) fn played(
        &mut self,
        role: Role<'a>,
        field: Field,
        later: &mut IndexSet<PartId>,
    ) -> Option<Field> {
        let nodes = match &role {
            Role::Own(nodes) => nodes,
            Role::Leading(_) => return self.leading(field),
        };
        let parts = &self.collector.parts;
        let part = nodes.first().and_then(|chosen| parts.of_field(chosen.node));
        let is_later = match self.collector.portion {
            Portion::Whole => false,
            Portion::First => true,
            Portion::Part(planned) | Portion::WholePart(planned) => part != Some(planned),
        };
        // Of another type the list may lie in its parent's answer: then it comes whole.
        let (Some(part), true, FieldValue::Hole(hole)) = (part, is_later, &field.value) else {
            return Some(field);
        };
        later.insert(part);
        self.cut_short(hole.fetch, part);
        let value = FieldValue::Streamed(hole.clone(), part);
        Some(Field { value, ..field })
    }

    /// Wants no more than the first items of a list that a fetch brings.
    fn cut_short(&mut self, mut id: FetchId, part: PartId) {
        while let Some(Some(fetch)) = self.fetches.get_mut(id.0 as usize) {
            match &fetch.shape.kind {
                Kind::Through(through) => id = through.hole.fetch,
                _ => {
                    fetch.first_of = Some(part);
                    return;
                }
            }
        }
    }

    /// A field that only leads on. Whatever fails below it must null nothing around it: what is
    /// around it was told before.
    fn leading(&mut self, field: Field) -> Option<Field> {
        if self.is_hollow_value(&field.value) {
            return None;
        }
        let key = format!("@{}", field.key);
        let key_json = [br#""@"#, field.key_json.get(1..).unwrap_or_default()].concat();
        let value = match field.value {
            FieldValue::Property(path, shape) => FieldValue::Property(path, self.relaxed(shape)),
            FieldValue::Computed(computed, shape) => {
                FieldValue::Computed(computed, self.relaxed(shape))
            }
            FieldValue::Hole(hole) => FieldValue::Hole(self.relaxed_hole(hole)),
            value => value,
        };
        let (key, key_json) = (key.into(), key_json.into());
        Some(Field { key, key_json, value, nullable: true, ..field })
    }

    fn relaxed_hole(&mut self, hole: Hole) -> Hole {
        let place = hole.fetch.0 as usize;
        if let Some(mut fetch) = self.fetches.get_mut(place).and_then(Option::take) {
            fetch.shape = self.relaxed(fetch.shape);
            if let Some(emptied) = self.fetches.get_mut(place) {
                *emptied = Some(fetch);
            }
        }
        Hole { nullable: true, list: hole.list.map(|_| ItemNullable(true)), ..hole }
    }

    fn relaxed(&mut self, shape: Shape) -> Shape {
        let kind = match shape.kind {
            Kind::List(item) => Kind::List(Box::new(self.relaxed(*item))),
            Kind::Through(through) => {
                let hole = self.relaxed_hole(through.hole.clone());
                Kind::Through(Arc::new(Through { captures: through.captures.clone(), hole }))
            }
            Kind::Computed(computed, shape) => {
                Kind::Computed(computed, Box::new(self.relaxed(*shape)))
            }
            kind @ (Kind::Leaf(_) | Kind::Object(_) | Kind::Abstract(_)) => kind,
        };
        Shape { nullable: true, kind }
    }

    fn is_hollow_value(&self, value: &FieldValue) -> bool {
        match value {
            FieldValue::Property(_, shape) | FieldValue::Computed(_, shape) => {
                self.is_hollow(shape)
            }
            FieldValue::Hole(hole) => self.is_hollow_hole(hole),
            FieldValue::Typename | FieldValue::Introspection => true,
            FieldValue::Streamed(..) => false,
        }
    }

    fn is_hollow_hole(&self, hole: &Hole) -> bool {
        let fetch = self.fetches.get(hole.fetch.0 as usize).and_then(Option::as_ref);
        fetch.is_none_or(|fetch| self.is_hollow(&fetch.shape))
    }

    /// Whether nothing is wanted of a value.
    fn is_hollow(&self, shape: &Shape) -> bool {
        match &shape.kind {
            Kind::Leaf(_) => true,
            Kind::List(item) | Kind::Computed(_, item) => self.is_hollow(item),
            Kind::Object(selection) => selection.fields.is_empty(),
            Kind::Abstract(cases) => {
                let Cases { cases, .. } = &**cases;
                cases.iter().all(|(_, selection)| selection.fields.is_empty())
            }
            Kind::Through(through) => self.is_hollow_hole(&through.hole),
        }
    }
}

/// Stands where a further part belongs.
pub(super) fn marker(part: PartId) -> Field {
    let key = format!("@@{}", part.0);
    Field {
        key_json: format!("\"{key}\":").into_bytes().into(),
        key: key.into(),
        locations: Box::default(),
        authenticated: false,
        args: None,
        value: FieldValue::Typename,
        nullable: false,
    }
}
