//! Places of a response, by the steps that lead there. What belongs where is looked up step by step:
//! a list may have as many places as items, and none is compared with all others.

use std::collections::HashMap;

/// One step of a path, owned.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Step {
    Key(Box<str>),
    Index(u32),
}

/// Something at each of some places.
#[derive(Debug)]
pub(super) struct Places<T> {
    here: Option<T>,
    below: HashMap<Step, Self>,
}

impl<T> Default for Places<T> {
    fn default() -> Self {
        Self { here: None, below: HashMap::new() }
    }
}

impl<T> Places<T> {
    /// One place, from which these are seen.
    pub(super) fn at_root(here: T) -> Self {
        Self { here: Some(here), below: HashMap::new() }
    }

    /// Puts something at a place.
    pub(super) fn put(&mut self, path: &[Step], value: T) {
        *self.entry(path) = Some(value);
    }

    /// What is at a place, to be changed.
    pub(super) fn entry(&mut self, path: &[Step]) -> &mut Option<T> {
        let root = self;
        let place =
            path.iter().fold(root, |place, step| place.below.entry(step.clone()).or_default());
        &mut place.here
    }

    /// What is at the place from which these are seen.
    pub(super) fn here(&self) -> Option<&T> {
        self.here.as_ref()
    }

    /// The places after one more step, as seen from there.
    pub(super) fn below(&self, step: &Step) -> Option<&Self> {
        self.below.get(step)
    }

    /// Each step that leads on, and the places after it.
    pub(super) fn steps(&self) -> impl Iterator<Item = (&Step, &Self)> {
        self.below.iter()
    }

    /// What is at the places that a path leads through and to.
    pub(super) fn along(&self, path: &[Step]) -> impl Iterator<Item = &T> {
        let below = path.iter().scan(self, |place, step| {
            *place = place.below(step)?;
            Some(*place)
        });
        std::iter::once(self).chain(below).filter_map(Self::here)
    }

    /// Whether there are places below this one.
    pub(super) fn are_below(&self, path: &[Step]) -> bool {
        let place = path.iter().try_fold(self, |place, step| place.below(step));
        place.is_some_and(|place| !place.below.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(steps: &[&str]) -> Vec<Step> {
        let step = |step: &&str| match step.parse() {
            Ok(index) => Step::Index(index),
            Err(_) => Step::Key((*step).into()),
        };
        steps.iter().map(step).collect()
    }

    #[test]
    fn a_path_meets_the_places_it_leads_through() {
        let mut places = Places::default();
        for (nth, place) in [&["a", "1"][..], &["a", "1", "b"], &["a", "2"]].iter().enumerate() {
            places.put(&path(place), nth);
        }
        let along = |steps: &[&str]| places.along(&path(steps)).copied().collect::<Vec<_>>();
        assert_eq!(along(&["a", "1", "b", "c"]), [0, 1]);
        assert_eq!(along(&["a", "2"]), [2]);
        assert_eq!(along(&["a", "3", "b"]), [0; 0]);
        assert_eq!(along(&[]), [0; 0]);
        assert!(places.are_below(&path(&["a", "1"])));
        assert!(!places.are_below(&path(&["a", "2"])));
        assert!(!places.are_below(&path(&["b"])));
        assert_eq!(Places::at_root(7).along(&path(&["x"])).next(), Some(&7));
    }
}
