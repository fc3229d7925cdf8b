//! A store whose entries are given out only while they are fresh.

use std::fmt;
use std::hash::Hash;
use std::time::Duration;

use super::{Bounded, Clock};

/// Keeps values for a time each, up to a total size.
pub struct Fresh<K, V> {
    entries: Bounded<K, Entry<V>>,
    clock: Clock,
}

#[derive(Clone)]
struct Entry<V> {
    value: V,
    /// By [`Clock::elapsed`].
    until: Duration,
}

impl<K, V> Fresh<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// A store for `max` bytes in all; `size_of` says how many an entry takes.
    pub fn new(
        max: u64,
        clock: Clock,
        size_of: impl Fn(&K, &V) -> usize + Send + Sync + 'static,
    ) -> Self {
        let entries = Bounded::new(max, move |key, entry: &Entry<V>| size_of(key, &entry.value));
        Self { entries, clock }
    }

    /// The value of a key, while it is fresh.
    pub fn get(&self, key: &K) -> Option<V> {
        let entry = self.entries.get(key)?;
        (self.clock.elapsed() < entry.until).then_some(entry.value)
    }

    /// Keeps a value until then, by [`Clock::elapsed`]; in place of an earlier one.
    pub fn insert(&self, key: K, value: V, until: Duration) {
        self.entries.insert(key, Entry { value, until });
    }
}

impl<K, V> fmt::Debug for Fresh<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entries.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_given_out_until_its_time_has_come() {
        let clock = Clock::hand();
        let store = Fresh::new(100, clock.clone(), |_: &u8, _: &&str| 1);
        store.insert(1, "one", clock.elapsed() + Duration::from_secs(5));
        store.insert(2, "two", clock.elapsed());
        assert_eq!((store.get(&1), store.get(&2)), (Some("one"), None));
        clock.advance(Duration::from_millis(4_999));
        assert_eq!(store.get(&1), Some("one"));
        clock.advance(Duration::from_millis(1));
        assert_eq!(store.get(&1), None, "fresh for less than so long (RFC 9111 section 4.2)");
        store.insert(1, "new", clock.elapsed() + Duration::from_secs(1));
        assert_eq!(store.get(&1), Some("new"));
    }
}
