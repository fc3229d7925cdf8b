//! How many calls each fetch of a plan makes, as far as the plan alone tells.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::Calls;
use crate::plan::{
    ArgsId, Fetch, FetchId, FieldValue, Hole, Kind, OperationKind, Plan, Selection, Shape,
};
use crate::schema::EndpointId;
use crate::template::Root;

/// What is foreseen of one fetch.
#[derive(Clone, Copy)]
pub(super) struct Forecast {
    /// Index of the step it runs in.
    pub(super) step: u32,
    /// One more than its parent's.
    pub(super) stage: u32,
    /// How many calls it makes.
    pub(super) calls: Calls,
}

/// Forecasts by fetch.
pub(super) struct Forecasts(Vec<Forecast>);

impl Forecasts {
    pub(super) fn of(plan: &Plan) -> Self {
        let mut parents = Parents { plan, found: vec![Found::default(); plan.fetches.len()] };
        let mut visited = HashSet::new();
        for (step, index) in plan.steps.iter().zip(0u32..) {
            // A query's fields are one step.
            let index = if plan.kind != OperationKind::Mutation { 0 } else { index };
            parents.selection(&step.selection, index, false, &mut visited);
        }
        let mut forecasts: Vec<Forecast> = Vec::with_capacity(plan.fetches.len());
        let mut first: HashMap<Request, u32> = HashMap::new();
        for ((fetch, found), number) in plan.fetches.iter().zip(&parents.found).zip(1u32..) {
            let parent = fetch.parent.and_then(|parent| forecasts.get(parent.0 as usize));
            let stage = parent.map_or(1, |parent| parent.stage + 1);
            let parent = match (parent, fetch.parent) {
                (Some(Forecast { calls: Calls::SharedWith(other), .. }), _) => *other,
                (_, Some(parent)) => parent.0 + 1,
                (_, None) => 0,
            };
            let request = Request::of(fetch, found.step, parent);
            let earlier = request.and_then(|request| {
                let earlier = *first.entry(request).or_insert(number);
                (earlier != number).then_some(earlier)
            });
            let calls = match (earlier, found.many, &fetch.endpoint.batch) {
                (Some(earlier), _, _) => Calls::SharedWith(earlier),
                (None, false, _) => Calls::One,
                (None, true, Some(_)) => Calls::OneBatch,
                (None, true, None) => Calls::OneEach,
            };
            forecasts.push(Forecast { step: found.step, stage, calls });
        }
        let mut forecasts = Self(forecasts);
        forecasts.widen(&parents.found);
        forecasts
    }

    pub(super) fn get(&self, index: u32) -> Forecast {
        let none = Forecast { step: 0, stage: 1, calls: Calls::One };
        self.0.get(index as usize).copied().unwrap_or(none)
    }

    /// A request that serves one parent of its own and many of a fetch it is shared with is a
    /// batch of many.
    fn widen(&mut self, found: &[Found]) {
        for index in 0..self.0.len() {
            let many = found.get(index).is_some_and(|found| found.many);
            if let Some(Forecast { calls: Calls::SharedWith(number), .. }) = self.0.get(index)
                && many
            {
                let number = *number;
                if let Some(first) = self.0.get_mut(number as usize - 1)
                    && first.calls == Calls::One
                {
                    first.calls = Calls::OneBatch;
                }
            }
        }
    }
}

/// What two fetches have in common that share calls: they start together, and all of the request
/// but the keys is the same.
#[derive(PartialEq, Eq, Hash)]
struct Request {
    step: u32,
    /// The fetch they wait for, or the one that shares its calls; 0: the root.
    parent: u32,
    endpoint: EndpointId,
    args: Option<ArgsId>,
}

impl Request {
    /// `None`: it is shared with no other fetch.
    fn of(fetch: &Fetch, step: u32, parent: u32) -> Option<Self> {
        let endpoint = &fetch.endpoint;
        let roots: HashSet<_> = endpoint
            .request
            .references()
            .map(|(_, reference)| std::mem::discriminant(&reference.root))
            .collect();
        let reads = |root: Root| roots.contains(&std::mem::discriminant(&root));
        let is_batch = endpoint.batch.is_some();
        if !is_batch && (reads(Root::This) || fetch.key.is_some()) {
            return None;
        }
        let args = reads(Root::Args).then_some(fetch.args);
        Some(Self { step, parent, endpoint: endpoint.id, args })
    }
}

/// What is found of a fetch where its values are wanted.
#[derive(Clone, Default)]
struct Found {
    step: u32,
    many: bool,
}

/// Which fetches have several parents, or several keys a parent.
struct Parents<'p> {
    plan: &'p Plan,
    found: Vec<Found>,
}

/// Selections that were walked, and whether as one of many.
type Visited = HashSet<(*const Selection, bool)>;

impl<'p> Parents<'p> {
    fn selection(
        &mut self,
        selection: &'p Arc<Selection>,
        step: u32,
        many: bool,
        visited: &mut Visited,
    ) {
        if !visited.insert((Arc::as_ptr(selection), many)) {
            return;
        }
        for field in &selection.fields {
            match &field.value {
                FieldValue::Property(_, shape) | FieldValue::Computed(_, shape) => {
                    self.shape(shape, step, many, visited);
                }
                FieldValue::Hole(hole) | FieldValue::Streamed(hole, _) => {
                    self.hole(hole, step, many, visited);
                }
                FieldValue::Typename | FieldValue::Introspection => {}
            }
        }
    }

    fn shape(&mut self, shape: &'p Shape, step: u32, many: bool, visited: &mut Visited) {
        match &shape.kind {
            Kind::Leaf(_) => {}
            Kind::List(item) => self.shape(item, step, true, visited),
            Kind::Object(selection) => self.selection(selection, step, many, visited),
            Kind::Abstract(cases) => {
                for (_, selection) in &cases.cases {
                    self.selection(selection, step, many, visited);
                }
            }
            Kind::Through(through) => self.hole(&through.hole, step, many, visited),
            Kind::Computed(_, shape) => self.shape(shape, step, many, visited),
        }
    }

    fn hole(&mut self, hole: &Hole, step: u32, many: bool, visited: &mut Visited) {
        let FetchId(index) = hole.fetch;
        let many = many || hole.list.is_some();
        if let Some(found) = self.found.get_mut(index as usize) {
            found.step = step;
            found.many |= many;
        }
        if let Some(fetch) = self.plan.fetches.get(index as usize) {
            self.shape(&fetch.shape, step, many, visited);
        }
    }
}
