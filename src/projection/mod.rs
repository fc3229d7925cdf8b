//! Upstream bytes -> response bytes, in one pass and without a tree: selected values are copied in
//! selection order, each checked against its type; nulls propagate; join keys and the places that
//! other fetches fill are recorded. Pure: no I/O, no clock, no knowledge of requests.

mod assemble;
mod keys;
mod leaf;
mod message;
mod object;
mod order;
mod paths;
mod project;
mod settle;
mod split;
mod value;
mod writer;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::failure::Failure;
use crate::json::{Body, Kind, Place, Value};
use crate::plan::{Hole, Location, PartId};

pub use assemble::{TooLarge, assemble};
pub use order::Layouts;
pub use paths::{PathId, PathStep, Paths};
pub use project::{project, project_root};
pub use split::{FailedRow, Groups, SplitError, reports_failure, split};

use writer::Writer;

/// What an upstream's answer gives for one slot of a fetch.
#[derive(Debug, Clone)]
pub enum Answer {
    /// One value within a body.
    Value(Body, Place),
    /// The rows of one key, to be written as a list, in order.
    Rows(Body, Vec<Place>),
    /// The upstream said null, or nothing lies where the value should.
    Null,
    /// The upstream has no such thing: 404, or no row for the key.
    Missing,
}

impl Answer {
    /// The same, of a list only so many items.
    #[must_use]
    pub fn first(self, count: Option<usize>) -> Self {
        let Some(count) = count else { return self };
        match self {
            Self::Value(body, place) if body.at(place).kind() == Kind::Array => {
                let items = body.at(place).items().take(count).map(Value::place).collect();
                Self::Rows(body, items)
            }
            Self::Rows(body, mut items) => {
                items.truncate(count);
                Self::Rows(body, items)
            }
            other => other,
        }
    }
}

/// What a projection may read beside plan and bytes.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'r> {
    /// Whether the caller has an identity; `@authenticated` fields are refused otherwise.
    pub authenticated: bool,
    /// The caller's claims, for computed fields.
    pub claims: Option<Value<'r>>,
    /// What an expression beside the request reads of the parent's object, by its slots.
    pub this: &'r [Option<Value<'r>>],
    /// The arguments of each [`crate::plan::ArgsId`], as a JSON object; or why there are none.
    pub args: &'r [Result<Body, Arc<Failure>>],
    /// How many items of its list each part leaves to what comes before it, by [`PartId`].
    pub first_items: &'r [Result<usize, Arc<Failure>>],
    /// `__schema` and `__type` by response key.
    pub introspection: &'r [(Box<str>, Box<[u8]>)],
    /// The largest response; a fragment over it fails with `RESPONSE_TOO_LARGE`.
    pub max_bytes: usize,
}

impl Inputs<'_> {
    /// How many items of its list a part leaves to what comes before it, or why its field fails.
    pub(crate) fn first_items(&self, part: PartId) -> Result<usize, Arc<Failure>> {
        self.first_items.get(usize::from(part.0)).cloned().unwrap_or(Ok(0))
    }
}

/// One slot of a fetch, projected: response bytes with holes. Borrows from the plan.
#[derive(Debug)]
pub struct Fragment<'p> {
    /// What became of the value.
    pub outcome: Outcome<'p>,
    /// The response bytes, JSON but for the holes, where nothing stands.
    pub bytes: Vec<u8>,
    /// The holes, by offset.
    pub holes: Vec<HoleAt<'p>>,
    captures: Captures,
    /// Nullable values around holes that may not be null.
    pub scopes: Vec<Scope>,
    /// Failures of nullable positions, by offset.
    pub errors: Vec<ErrorAt<'p>>,
    /// Where holes, scopes and errors lie: nodes linked to their parents.
    pub paths: Paths<'p>,
}

/// What became of a projected value.
#[derive(Debug, Clone)]
pub enum Outcome<'p> {
    /// It is in the bytes.
    Value,
    /// The upstream gave null, or nothing.
    Null,
    /// The upstream has no such thing.
    Missing,
    /// Null propagated through the whole value; where the failure lies below it.
    Failed(Failed<'p>),
}

/// A failure with its place.
#[derive(Debug, Clone)]
pub struct Failed<'p> {
    /// Steps from the fragment's root to the place.
    pub path: Vec<PathStep<'p>>,
    /// Where the document asks for it; empty: as the hole it was to fill.
    pub locations: &'p [Location],
    /// What failed.
    pub failure: Arc<Failure>,
}

/// A hole at its place in the bytes.
#[derive(Debug)]
pub struct HoleAt<'p> {
    /// Where in the bytes its value belongs.
    pub offset: u32,
    /// The hole.
    pub hole: &'p Hole,
    /// Where the document asks for it.
    pub locations: &'p [Location],
    /// The object around it.
    pub instance: Instance,
    /// The innermost nullable value around it within the fragment, if the hole may not be null.
    pub scope: Option<u32>,
    /// Its place.
    pub path: PathId,
}

/// The object around a hole, as far as holes read of it: [`Fragment::capture`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Instance {
    body: u32,
    /// Where its captures begin, and the one after the last.
    first: u32,
    end: u32,
}

/// What holes read of the objects around them, one object after another.
#[derive(Debug, Default)]
struct Captures {
    /// What the objects lie in: mostly one body.
    bodies: Vec<Body>,
    /// For each object, by capture of its selection; `None`: absent.
    places: Vec<Option<Place>>,
}

/// A nullable value: if a hole within it that may not be null fails, these bytes become `null`.
#[derive(Debug)]
pub struct Scope {
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// The next nullable value around it within the fragment.
    pub parent: Option<u32>,
}

/// A failed nullable position; `null` stands there.
#[derive(Debug)]
pub struct ErrorAt<'p> {
    /// Where in the bytes the `null` stands.
    pub offset: u32,
    /// What failed and where.
    pub failed: Failed<'p>,
}

/// A fragment and what fills its holes.
#[derive(Debug)]
pub struct Slot<'p> {
    /// The projected value.
    pub fragment: Fragment<'p>,
    /// For each of [`Fragment::holes`]: what fills it.
    pub targets: Vec<Target>,
}

/// What fills a hole.
#[derive(Debug, Clone)]
pub enum Target {
    /// The value of this slot of the hole's fetch.
    Slot(u32),
    /// A list of values, in order (`@ref` on a list field); `None`: null without a request.
    List(Vec<Option<u32>>),
    /// Null without a request: the key or a value the request needs is null.
    Null,
    /// No request could be made.
    Failed(Arc<Failure>),
}

/// Every slot of every fetch, by [`crate::plan::FetchId`].
#[derive(Debug)]
pub struct Tables<'p>(pub Vec<Vec<Slot<'p>>>);

/// A whole response's data and errors.
#[derive(Debug)]
pub struct Assembled<'p> {
    /// The JSON of `data`; `None`: null propagated to the root.
    pub data: Option<Vec<u8>>,
    /// The errors, in response order.
    pub errors: Vec<Failed<'p>>,
}

impl Fragment<'_> {
    /// A slot for which there is no answer: where it stands and why is each hole's to say.
    #[must_use]
    pub fn failed(failure: Arc<Failure>) -> Self {
        let failed = Failed { path: Vec::new(), locations: &[], failure };
        Writer::new(0, 0).finish(Outcome::Failed(failed))
    }

    /// What a slot has captured of the object around one of these holes; `None`: the object has
    /// no such property.
    #[must_use]
    pub fn capture(&self, of: Instance, slot: u32) -> Option<Value<'_>> {
        let Captures { bodies, places } = &self.captures;
        let captures = places.get(of.first as usize..of.end as usize)?;
        Some(bodies.get(of.body as usize)?.at((*captures.get(slot as usize)?)?))
    }
}
