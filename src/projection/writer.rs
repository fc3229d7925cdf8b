//! A fragment being written: where one is, what to take back when a null propagates, and which
//! nullable values stand around the holes. Knows nothing of the values that are written.

use std::sync::Arc;

use crate::failure::Failure;
use crate::json::{Body, Place};
use crate::plan::{Hole, Location};

use super::paths::{PathId, PathStep, Paths};
use super::{Captures, ErrorAt, Failed, Fragment, HoleAt, Instance, Outcome, Scope};

/// A failure on its way to the nearest nullable value around it.
pub(super) type Bubble<'p> = Box<Failed<'p>>;

/// A fragment being written, and the positions around the next byte.
pub(super) struct Writer<'p> {
    pub(super) bytes: Vec<u8>,
    holes: Vec<HoleAt<'p>>,
    captures: Captures,
    scopes: Vec<Scope>,
    errors: Vec<ErrorAt<'p>>,
    paths: Paths<'p>,
    frames: Vec<Frame<'p>>,
    max_bytes: usize,
    is_full: bool,
}

/// One value around the next byte, below the fragment's root.
struct Frame<'p> {
    step: PathStep<'p>,
    start: u32,
    nullable: bool,
    /// Made when a hole lies within.
    path: Option<PathId>,
    /// Made when a hole that may not be null lies within.
    scope: Option<u32>,
}

/// How much was written at some moment.
#[derive(Clone, Copy)]
pub(super) struct Mark {
    bytes: usize,
    holes: usize,
    captures: usize,
    scopes: usize,
    errors: usize,
    paths: usize,
}

impl<'p> Writer<'p> {
    /// Offsets are 32 bits wide, so a fragment stays far below that whatever the limit.
    pub(super) fn new(capacity: usize, max_bytes: usize) -> Self {
        let max_bytes = max_bytes.min(1 << 31);
        Self {
            bytes: Vec::with_capacity(capacity.min(max_bytes)),
            holes: Vec::new(),
            captures: Captures::default(),
            scopes: Vec::new(),
            errors: Vec::new(),
            paths: Paths::default(),
            frames: Vec::new(),
            max_bytes,
            is_full: false,
        }
    }

    /// The fragment, whose root has come out so.
    pub(super) fn finish(mut self, outcome: Outcome<'p>) -> Fragment<'p> {
        if !matches!(outcome, Outcome::Value) {
            self = Self::new(0, 0);
        }
        let Self { bytes, holes, captures, scopes, errors, paths, .. } = self;
        Fragment { outcome, bytes, holes, captures, scopes, errors, paths }
    }

    /// Goes into a value that begins here.
    #[inline]
    pub(super) fn enter(&mut self, step: PathStep<'p>, nullable: bool) {
        let start = self.offset();
        self.frames.push(Frame { step, start, nullable, path: None, scope: None });
    }

    /// Leaves the value last entered; it ends here.
    #[inline]
    pub(super) fn leave(&mut self) {
        let scope = self.frames.pop().and_then(|frame| frame.scope);
        let end = self.offset();
        if let Some(scope) = scope.and_then(|scope| self.scopes.get_mut(scope as usize)) {
            scope.end = end;
        }
    }

    /// Whether so many more bytes may be written. Once not, never again: what failed for want of
    /// room is not the upstream's fault, and no part of the fragment is of use.
    #[inline]
    pub(super) fn has_room(&mut self, more: usize) -> bool {
        if self.bytes.len().saturating_add(more) > self.max_bytes {
            self.is_full = true;
        }
        !self.is_full
    }

    /// Whether the fragment did not fit.
    pub(super) fn is_full(&self) -> bool {
        self.is_full
    }

    pub(super) fn mark(&self) -> Mark {
        Mark {
            bytes: self.bytes.len(),
            holes: self.holes.len(),
            captures: self.captures.places.len(),
            scopes: self.scopes.len(),
            errors: self.errors.len(),
            paths: self.paths.len(),
        }
    }

    /// Writes `null` in place of all that was written since the mark, and why: one error stands
    /// for what it takes back.
    pub(super) fn fail_since(&mut self, mark: Mark, failed: Failed<'p>) {
        let Mark { bytes, holes, captures, scopes, errors, paths } = mark;
        self.bytes.truncate(bytes);
        self.holes.truncate(holes);
        self.captures.places.truncate(captures);
        self.scopes.truncate(scopes);
        self.errors.truncate(errors);
        self.paths.truncate(paths);
        for frame in &mut self.frames {
            frame.path = frame.path.filter(|path| self.paths.contains(*path));
            frame.scope = frame.scope.filter(|scope| (*scope as usize) < scopes);
        }
        self.errors.push(ErrorAt { offset: self.offset(), failed });
        self.null();
    }

    /// Writes a name as a string. Names are plain ASCII.
    pub(super) fn quoted(&mut self, name: &str) {
        self.bytes.push(b'"');
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(b'"');
    }

    #[inline]
    pub(super) fn null(&mut self) {
        self.bytes.extend_from_slice(b"null");
    }

    /// A failure of the value last entered.
    #[cold]
    pub(super) fn failed(
        &self,
        locations: &'p [Location],
        failure: impl Into<Arc<Failure>>,
    ) -> Bubble<'p> {
        let path = self.frames.iter().map(|frame| frame.step).collect();
        Box::new(Failed { path, locations, failure: failure.into() })
    }

    /// Adds what holes read of an object around them.
    pub(super) fn instance(
        &mut self,
        body: &Body,
        captures: impl Iterator<Item = Option<Place>>,
    ) -> Instance {
        let Captures { bodies, places } = &mut self.captures;
        if bodies.last().is_none_or(|last| !last.is(body)) {
            bodies.push(body.clone());
        }
        let first = count(places.len());
        places.extend(captures);
        Instance { body: count(bodies.len() - 1), first, end: count(places.len()) }
    }

    /// Leaves a hole as the value last entered.
    pub(super) fn hole(&mut self, hole: &'p Hole, locations: &'p [Location], instance: Instance) {
        let offset = self.offset();
        let scope = if hole.nullable { None } else { self.scope() };
        let path = self.path();
        self.holes.push(HoleAt { offset, hole, locations, instance, scope, path });
    }

    /// The innermost nullable value around, with those around it.
    fn scope(&mut self) -> Option<u32> {
        let mut parent = None;
        for frame in self.frames.iter_mut().filter(|frame| frame.nullable) {
            parent = Some(*frame.scope.get_or_insert_with(|| {
                self.scopes.push(Scope { start: frame.start, end: frame.start, parent });
                count(self.scopes.len() - 1)
            }));
        }
        parent
    }

    /// The place of the value last entered.
    fn path(&mut self) -> PathId {
        let mut parent = PathId::ROOT;
        for frame in &mut self.frames {
            parent = *frame.path.get_or_insert_with(|| self.paths.push(parent, frame.step));
        }
        parent
    }

    /// Fragments are bounded below 4 GiB by their projection.
    fn offset(&self) -> u32 {
        count(self.bytes.len())
    }
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
