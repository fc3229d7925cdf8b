//! How often what became of an answer, since the start: the numbers that an exporter of metrics
//! reads.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use super::NotKept;

/// What became of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It was given again: it was kept, and no call was made. Of a batch: some of its rows.
    Given,
    /// It was another request's, under way when this one asked.
    Coalesced,
    /// It came of a call, and is kept. Of a batch: its rows.
    Kept,
    /// It came of a call, and is not kept.
    NotKept(NotKept),
}

/// Counts answers by what became of them.
#[derive(Debug, Default)]
pub struct Tally {
    counts: [AtomicU64; 3],
    not_kept: [AtomicU64; NotKept::ALL.len()],
}

impl Fate {
    /// Every one there is.
    pub fn all() -> impl Iterator<Item = Self> {
        let reasons = NotKept::ALL.into_iter().map(Self::NotKept);
        [Self::Given, Self::Coalesced, Self::Kept].into_iter().chain(reasons)
    }
}

impl Tally {
    /// Counts one.
    pub fn count(&self, fate: Fate) {
        self.counter(fate).fetch_add(1, Ordering::Relaxed);
    }

    /// How many there were.
    #[must_use]
    pub fn of(&self, fate: Fate) -> u64 {
        self.counter(fate).load(Ordering::Relaxed)
    }

    fn counter(&self, fate: Fate) -> &AtomicU64 {
        let [given, coalesced, kept] = &self.counts;
        let [method, status, no_store, no_cache, cookie, vary, lifetime, failed, stale, off] =
            &self.not_kept;
        match fate {
            Fate::Given => given,
            Fate::Coalesced => coalesced,
            Fate::Kept => kept,
            Fate::NotKept(reason) => match reason {
                NotKept::Method => method,
                NotKept::Status => status,
                NotKept::NoStore => no_store,
                NotKept::NoCache => no_cache,
                NotKept::SetsCookie => cookie,
                NotKept::Varies => vary,
                NotKept::NoLifetime => lifetime,
                NotKept::Failed => failed,
                NotKept::Stale => stale,
                NotKept::Off => off,
            },
        }
    }
}

/// As labels of metrics have it.
impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given => f.write_str("given"),
            Self::Coalesced => f.write_str("coalesced"),
            Self::Kept => f.write_str("kept"),
            Self::NotKept(reason) => f.write_str(reason.as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_fate_has_a_count_and_a_name_of_its_own() {
        let tally = Tally::default();
        for (times, fate) in Fate::all().enumerate() {
            (0..times).for_each(|_| tally.count(fate));
        }
        for (times, fate) in Fate::all().enumerate() {
            assert_eq!(tally.of(fate), times as u64, "{fate}");
        }
        let names: BTreeSet<String> = Fate::all().map(|fate| fate.to_string()).collect();
        assert_eq!(names.len(), Fate::all().count());
        assert!(names.iter().all(|name| !name.contains([' ', '/'])), "{names:?}");
    }
}
