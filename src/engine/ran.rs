//! What the plan of a portion came to: data with marks, and errors that know what they are of.

use std::sync::Arc;

use super::places::{Places, Step};
use super::response;
use crate::failure::Failure;
use crate::fetch::Answered;
use crate::json::{Body, Value};
use crate::plan::Location;
use crate::projection::PathStep;

/// What a portion's plan came to.
pub(super) struct Ran {
    data: Option<Body>,
    pub(super) errors: Vec<Error>,
    /// Why there is nothing at all.
    pub(super) lost: Option<Error>,
    /// Where what the portion brings has failed.
    failed: Places<()>,
}

/// An error, owned.
pub(super) struct Error {
    /// As the client reads it.
    pub(super) path: Vec<Step>,
    /// How many steps lead to the innermost field that is the portion's own; 0: none of them is, and
    /// the error is of what leads there.
    own: usize,
    pub(super) locations: Box<[Location]>,
    pub(super) failure: Arc<Failure>,
}

impl Error {
    fn new(path: &[PathStep<'_>], locations: &[Location], failure: &Arc<Failure>) -> Self {
        let is_own = |step: &PathStep<'_>| match step {
            PathStep::Key(key) => !key.starts_with('@'),
            PathStep::Index(_) => false,
        };
        let own = path.iter().rposition(is_own).map_or(0, |last| last + 1);
        let step = |step: &PathStep<'_>| match step {
            PathStep::Key(key) => Step::Key(key.trim_start_matches('@').into()),
            PathStep::Index(index) => Step::Index(*index),
        };
        let path = path.iter().map(step).collect();
        Self { path, own, locations: locations.into(), failure: Arc::clone(failure) }
    }

    /// Whether it is of what a part brings at a place so many steps away, and not of what leads there.
    pub(super) fn is_own_after(&self, steps: usize) -> bool {
        self.own > steps
    }
}

impl Ran {
    pub(super) fn new(answered: Answered<'_>) -> Self {
        let errors = answered.errors.iter();
        let errors: Vec<Error> =
            errors.map(|it| Error::new(&it.path, it.locations, &it.failure)).collect();
        let mut failed = Places::default();
        for error in &errors {
            failed.put(error.path.get(..error.own).unwrap_or_default(), ());
        }
        // The gateway's own JSON nests no deeper than a body may.
        let data = answered.data.and_then(|data| Body::parse(data.into()).ok());
        Self { data, errors, lost: None, failed }
    }

    /// Of a part that would be too large to send.
    pub(super) fn too_large() -> Self {
        let lost = Error::new(&[], &[], &Arc::new(response::over_the_limit()));
        Self { data: None, errors: Vec::new(), lost: Some(lost), failed: Places::default() }
    }

    /// What it has at the root; `None`: null.
    pub(super) fn root(&self) -> Option<Value<'_>> {
        self.data.as_ref().map(Body::root)
    }

    /// Whether something that the portion brings has failed below a place.
    pub(super) fn has_failed_below(&self, place: &[Step]) -> bool {
        self.failed.are_below(place)
    }
}
