//! Fragments and what fills their holes -> one response. An entity that a hundred parents share
//! was projected once; here it is copied a hundred times, and its errors get a path each.

use std::sync::Arc;

use crate::failure::{Code, Failure};
use crate::plan::{Fetch, FetchId, Location};

use super::paths::{PathId, PathStep, Paths};
use super::settle::{Cause, Filled, Node, Settled, Settlement};
use super::{Assembled, Failed, HoleAt, Outcome, Slot, Tables, Target};

/// The response would be larger than allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge;

/// Puts a response together: the root and, in its holes, the slots of the plan's `fetches`.
///
/// # Errors
/// [`TooLarge`]: data and errors would be more than `max_bytes`. Errors are counted roughly.
pub fn assemble<'p>(
    root: &Slot<'p>,
    tables: &Tables<'p>,
    fetches: &[Fetch],
    max_bytes: usize,
) -> Result<Assembled<'p>, TooLarge> {
    let settlement = Settlement::new(tables);
    let settled = settlement.settle(None, root);
    let node = Node { fetch: None, slot: root, settled: &settled };
    let mut assembly = Assembly {
        settlement: &settlement,
        fetches,
        out: Vec::new(),
        errors: Vec::new(),
        error_bytes: 0,
        max_bytes,
        around: Vec::new(),
    };
    let Settled::Value { size, .. } = node.settled else {
        assembly.fail_slot(node, Vec::new(), &[])?;
        return Ok(Assembled { data: None, errors: assembly.errors });
    };
    assembly.out.reserve_exact((*size).min(max_bytes));
    assembly.write(node)?;
    Ok(Assembled { data: Some(assembly.out), errors: assembly.errors })
}

struct Assembly<'t, 'p> {
    settlement: &'t Settlement<'t, 'p>,
    fetches: &'t [Fetch],
    out: Vec<u8>,
    errors: Vec<Failed<'p>>,
    error_bytes: usize,
    max_bytes: usize,
    /// The holes around the next byte, outermost first.
    around: Vec<Around<'t, 'p>>,
}

/// A hole that is being written into.
struct Around<'t, 'p> {
    paths: &'t Paths<'p>,
    place: PathId,
    item: Option<u32>,
    locations: &'p [Location],
}

/// What comes next in a fragment.
enum Next {
    Hole,
    Error,
    Nulled,
}

impl<'t, 'p> Assembly<'t, 'p> {
    /// Writes a slot that has a value. Recursion ends with the plan: a hole's fetch comes later
    /// than the fetch it lies in.
    fn write(&mut self, node: Node<'t, 'p>) -> Result<(), TooLarge> {
        let Settled::Value { nulled, .. } = node.settled else { return Ok(()) };
        let fragment = &node.slot.fragment;
        let mut holes = fragment.holes.iter().zip(0..).peekable();
        let mut errors = fragment.errors.iter().peekable();
        let mut nulled = nulled.iter().peekable();
        let mut done = 0;
        while let Some(next) = next(
            holes.peek().map(|(hole, _)| hole.offset),
            errors.peek().map(|error| error.offset),
            nulled.peek().map(|nulled| nulled.start),
        ) {
            match next {
                Next::Hole => {
                    let Some((hole, number)) = holes.next() else { break };
                    self.copy(node, done, hole.offset)?;
                    done = hole.offset;
                    self.fill(node, hole, number)?;
                }
                Next::Error => {
                    let Some(error) = errors.next() else { break };
                    let mut path = self.path();
                    path.extend_from_slice(&error.failed.path);
                    self.fail(path, error.failed.locations, Arc::clone(&error.failed.failure))?;
                }
                Next::Nulled => {
                    let Some(nulled) = nulled.next() else { break };
                    self.copy(node, done, nulled.start)?;
                    done = nulled.end;
                    self.put(b"null")?;
                    self.fail_at(node, nulled.cause, self.path(), &[])?;
                    while holes.next_if(|(hole, _)| hole.offset <= done).is_some() {}
                    while errors.next_if(|error| error.offset < done).is_some() {}
                }
            }
        }
        let end = u32::try_from(fragment.bytes.len()).unwrap_or(u32::MAX);
        self.copy(node, done, end)
    }

    /// Writes what fills a hole that is not to be nulled together with what is around it.
    fn fill(
        &mut self,
        node: Node<'t, 'p>,
        hole: &'t HoleAt<'p>,
        number: u32,
    ) -> Result<(), TooLarge> {
        let target = node.slot.targets.get(number as usize);
        match (self.settlement.filled(node.fetch, hole.hole, target), target) {
            (Filled::Failed(item), _) => {
                self.put(b"null")?;
                self.fail_at(node, Cause { hole: number, item }, self.path(), &[])
            }
            (Filled::Value(_), Some(Target::Slot(slot))) => self.child(node, hole, *slot, None),
            (Filled::Value(_), Some(Target::List(items))) => {
                self.put(b"[")?;
                for (index, item) in (0..).zip(items) {
                    if index > 0 {
                        self.put(b",")?;
                    }
                    self.list_item(node, hole, number, (index, *item))?;
                }
                self.put(b"]")
            }
            _ => self.put(b"null"),
        }
    }

    fn list_item(
        &mut self,
        node: Node<'t, 'p>,
        hole: &'t HoleAt<'p>,
        number: u32,
        (index, slot): (u32, Option<u32>),
    ) -> Result<(), TooLarge> {
        let Some(slot) = slot else { return self.put(b"null") };
        let child = self.settlement.child(node.fetch, hole.hole, slot);
        match child.map(|child| child.settled) {
            Some(Settled::Value { .. }) => self.child(node, hole, slot, Some(index)),
            Some(Settled::Null | Settled::Missing) => self.put(b"null"),
            Some(Settled::Failed(_)) | None => {
                self.put(b"null")?;
                self.fail_at(node, Cause { hole: number, item: Some(index) }, self.path(), &[])
            }
        }
    }

    fn child(
        &mut self,
        node: Node<'t, 'p>,
        hole: &'t HoleAt<'p>,
        slot: u32,
        item: Option<u32>,
    ) -> Result<(), TooLarge> {
        let Some(child) = self.settlement.child(node.fetch, hole.hole, slot) else {
            return self.put(b"null");
        };
        self.around.push(Around {
            paths: &node.slot.fragment.paths,
            place: hole.path,
            item,
            locations: hole.locations,
        });
        let result = self.write(child);
        self.around.pop();
        result
    }

    /// Records the failure of a hole, followed down to where it arose.
    fn fail_at(
        &mut self,
        node: Node<'t, 'p>,
        cause: Cause,
        mut path: Vec<PathStep<'p>>,
        outer: &'p [Location],
    ) -> Result<(), TooLarge> {
        let fragment = &node.slot.fragment;
        let Some(hole) = fragment.holes.get(cause.hole as usize) else { return Ok(()) };
        // What only leads on to a value is asked for where that value is.
        let locations = if hole.locations.is_empty() { outer } else { hole.locations };
        fragment.paths.append(hole.path, &mut path);
        path.extend(cause.item.map(PathStep::Index));
        let target = node.slot.targets.get(cause.hole as usize);
        let slot = match (target, cause.item) {
            (Some(Target::Slot(slot)), _) => Some(*slot),
            (Some(Target::List(items)), Some(item)) => items.get(item as usize).copied().flatten(),
            (Some(Target::Failed(failure)), _) => {
                return self.fail(path, locations, Arc::clone(failure));
            }
            (Some(Target::Null | Target::List(_)), _) => None,
            (None, _) => return self.fail(path, locations, lost()),
        };
        let Some(slot) = slot else {
            return self.fail(path, locations, self.no_key(hole.hole.fetch));
        };
        match self.settlement.child(node.fetch, hole.hole, slot) {
            Some(child) => self.fail_slot(child, path, locations),
            None => self.fail(path, locations, lost()),
        }
    }

    /// Records why a slot has no value; `locations` are those of its hole.
    fn fail_slot(
        &mut self,
        node: Node<'t, 'p>,
        mut path: Vec<PathStep<'p>>,
        locations: &'p [Location],
    ) -> Result<(), TooLarge> {
        match (node.settled, &node.slot.fragment.outcome) {
            (Settled::Failed(Some(cause)), _) => self.fail_at(node, *cause, path, locations),
            (Settled::Failed(None), Outcome::Failed(failed)) => {
                path.extend_from_slice(&failed.path);
                let own = failed.locations;
                let locations = if own.is_empty() { locations } else { own };
                self.fail(path, locations, Arc::clone(&failed.failure))
            }
            (Settled::Missing, _) => self.fail(path, locations, self.not_found(node.fetch)),
            _ => self.fail(path, locations, self.null(node.fetch)),
        }
    }

    /// Records an error. Without locations of its own it is located as the nearest hole around.
    fn fail(
        &mut self,
        path: Vec<PathStep<'p>>,
        locations: &'p [Location],
        failure: Arc<Failure>,
    ) -> Result<(), TooLarge> {
        let around = || self.around.iter().rev().map(|around| around.locations);
        let locations = std::iter::once(locations).chain(around()).find(|found| !found.is_empty());
        self.error_bytes += 100 + failure.message.len() + path.len() * 8;
        self.errors.push(Failed { path, locations: locations.unwrap_or_default(), failure });
        self.put(b"")
    }

    fn not_found(&self, fetch: Option<FetchId>) -> Arc<Failure> {
        let message = "the upstream has no such thing, and null may not stand here";
        self.failure(Code::NotFound, message, fetch, self.fetch(fetch))
    }

    fn null(&self, fetch: Option<FetchId>) -> Arc<Failure> {
        let message = "the upstream gave null where it may not stand";
        self.failure(Code::UpstreamBadAnswer, message, fetch, self.fetch(fetch))
    }

    /// What a request needs is null, as the parent's upstream gave it, if one did.
    fn no_key(&self, fetch: FetchId) -> Arc<Failure> {
        let message = "what it is asked for by is null, and null may not stand here";
        let parent = self.fetch(Some(fetch)).and_then(|fetch| self.fetch(fetch.parent));
        self.failure(Code::UpstreamBadAnswer, message, Some(fetch), parent)
    }

    /// A failure of a fetch's field, said of the upstream of `of`.
    fn failure(
        &self,
        code: Code,
        message: &str,
        fetch: Option<FetchId>,
        of: Option<&Fetch>,
    ) -> Arc<Failure> {
        let field = self.fetch(fetch).map(|fetch| format!("{}: ", fetch.coordinate));
        let failure = Failure::new(code, format!("{}{message}", field.unwrap_or_default()));
        Arc::new(match of {
            Some(fetch) => failure.of(&fetch.endpoint.upstream, None),
            None => failure,
        })
    }

    fn fetch(&self, id: Option<FetchId>) -> Option<&'t Fetch> {
        self.fetches.get(id?.0 as usize)
    }

    /// The steps from the response's root to the fragment that is being written.
    fn path(&self) -> Vec<PathStep<'p>> {
        let mut steps = Vec::new();
        for around in &self.around {
            around.paths.append(around.place, &mut steps);
            steps.extend(around.item.map(PathStep::Index));
        }
        steps
    }

    fn copy(&mut self, node: Node<'_, 'p>, start: u32, end: u32) -> Result<(), TooLarge> {
        let bytes = node.slot.fragment.bytes.get(start as usize..end as usize);
        self.put(bytes.unwrap_or_default())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), TooLarge> {
        let size = self.out.len().saturating_add(bytes.len()).saturating_add(self.error_bytes);
        if size > self.max_bytes {
            return Err(TooLarge);
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }
}

/// What comes first, by offset. A value that was nulled comes before what lies in it.
fn next(hole: Option<u32>, error: Option<u32>, nulled: Option<u32>) -> Option<Next> {
    let first = [(nulled, Next::Nulled), (error, Next::Error), (hole, Next::Hole)];
    first
        .into_iter()
        .filter_map(|(at, next)| Some((at?, next)))
        .min_by_key(|(at, _)| *at)
        .map(|(_, next)| next)
}

fn lost() -> Arc<Failure> {
    Failure::new(Code::Internal, "the gateway lost a value").into()
}
