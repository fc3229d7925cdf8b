//! Places within a fragment, each linked to the one around it, so that a hundred holes of a list
//! share the steps they have in common.

/// One step of an error's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathStep<'p> {
    /// A response key.
    Key(&'p str),
    /// An index of a list.
    Index(u32),
}

/// A place within a fragment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PathId(u32);

impl PathId {
    /// The fragment's root.
    pub const ROOT: Self = Self(0);
}

/// Places of a fragment, each linked to the one around it.
#[derive(Debug, Default)]
pub struct Paths<'p> {
    /// The place around and the last step of each place but the root; the id is one more than
    /// the index.
    nodes: Vec<(PathId, PathStep<'p>)>,
}

impl<'p> Paths<'p> {
    /// The steps from the fragment's root to a place.
    #[must_use]
    pub fn steps(&self, place: PathId) -> Vec<PathStep<'p>> {
        let mut steps = Vec::new();
        self.append(place, &mut steps);
        steps
    }

    /// Appends the steps from the fragment's root to a place.
    pub(super) fn append(&self, place: PathId, steps: &mut Vec<PathStep<'p>>) {
        let before = steps.len();
        let mut next = place;
        while let Some((around, step)) = self.node(next) {
            steps.push(*step);
            next = *around;
        }
        if let Some(added) = steps.get_mut(before..) {
            added.reverse();
        }
    }

    pub(super) fn push(&mut self, around: PathId, step: PathStep<'p>) -> PathId {
        self.nodes.push((around, step));
        PathId(u32::try_from(self.nodes.len()).unwrap_or(u32::MAX))
    }

    pub(super) fn len(&self) -> usize {
        self.nodes.len()
    }

    pub(super) fn truncate(&mut self, len: usize) {
        self.nodes.truncate(len);
    }

    pub(super) fn contains(&self, place: PathId) -> bool {
        place.0 as usize <= self.nodes.len()
    }

    fn node(&self, place: PathId) -> Option<&(PathId, PathStep<'p>)> {
        self.nodes.get((place.0 as usize).checked_sub(1)?)
    }
}
