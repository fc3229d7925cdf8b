//! A store that never grows past its size.

use std::borrow::Borrow;
use std::fmt;
use std::hash::Hash;
use std::time::{Duration, Instant};

/// Keeps values by key, up to a total size; what is used rarely goes first.
///
/// Keys are compared whole: a hash only finds the place. Shared between threads without a lock
/// around the whole.
pub struct Bounded<K, V>(moka::sync::Cache<K, Entry<V>>);

/// A value, and how long it may be of use.
#[derive(Clone)]
struct Entry<V> {
    value: V,
    lifetime: Option<Duration>,
}

/// An entry goes when its own time is over.
struct OwnLifetime;

impl<K, V> moka::Expiry<K, Entry<V>> for OwnLifetime {
    fn expire_after_create(&self, _: &K, entry: &Entry<V>, _: Instant) -> Option<Duration> {
        entry.lifetime
    }

    fn expire_after_update(
        &self,
        _: &K,
        entry: &Entry<V>,
        _: Instant,
        _: Option<Duration>,
    ) -> Option<Duration> {
        entry.lifetime
    }
}

impl<K, V> Bounded<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// A store for `max` bytes in all; `size_of` says how many an entry takes, key and value. With
    /// 0 bytes it keeps nothing.
    pub fn new(max: u64, size_of: impl Fn(&K, &V) -> usize + Send + Sync + 'static) -> Self {
        Self(Self::builder(max, size_of).build())
    }

    /// The same for values that are of no use after a time of their own: they go by themselves.
    pub fn expiring(max: u64, size_of: impl Fn(&K, &V) -> usize + Send + Sync + 'static) -> Self {
        Self(Self::builder(max, size_of).expire_after(OwnLifetime).build())
    }

    fn builder(
        max: u64,
        size_of: impl Fn(&K, &V) -> usize + Send + Sync + 'static,
    ) -> moka::sync::CacheBuilder<K, Entry<V>, moka::sync::Cache<K, Entry<V>>> {
        let weigh = move |key: &K, Entry { value, .. }: &Entry<V>| {
            u32::try_from(size_of(key, value)).unwrap_or(u32::MAX)
        };
        moka::sync::Cache::builder().max_capacity(max).weigher(weigh)
    }

    /// The value of a key.
    pub fn get<Q>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.get(key).map(|entry| entry.value)
    }

    /// Keeps a value, if there is room for one of its size at all.
    pub fn insert(&self, key: K, value: V) {
        self.0.insert(key, Entry { value, lifetime: None });
    }

    /// The same for a value that is of no use after this time. An [`expiring`](Self::expiring) store
    /// then forgets it, by its own clock: whoever must be exact looks at the time themselves.
    pub fn insert_for(&self, key: K, value: V, lifetime: Duration) {
        // The store takes no longer ones than a thousand years.
        let lifetime = lifetime.min(Duration::from_secs(365 * 86_400));
        self.0.insert(key, Entry { value, lifetime: Some(lifetime) });
    }

    /// Forgets a key.
    pub fn remove<Q>(&self, key: &Q)
    where
        K: Borrow<Q>,
        Q: Hash + Eq + ?Sized,
    {
        self.0.invalidate(key);
    }

    /// The size of all entries. Evictions that are due are done first, so that this is exact where
    /// no one else is using the store.
    pub fn size(&self) -> u64 {
        self.0.run_pending_tasks();
        self.0.weighted_size()
    }
}

/// The size only: keys and values may be anyone's.
impl<K, V> fmt::Debug for Bounded<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bounded({} bytes)", self.0.weighted_size())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_comes_out_by_the_whole_key() {
        let store = Bounded::new(100, |key: &String, value: &u8| key.len() + size_of_val(value));
        store.insert("a".to_owned(), 1);
        store.insert("b".to_owned(), 2);
        assert_eq!((store.get("a"), store.get("b"), store.get("c")), (Some(1), Some(2), None));
        assert_eq!(store.size(), 4);
    }

    #[test]
    fn it_never_holds_more_than_its_size() {
        let store = Bounded::new(1_000, |_: &u32, value: &Vec<u8>| value.len());
        for key in 0..500 {
            store.insert(key, vec![0; 100]);
        }
        assert!((1..=1_000).contains(&store.size()), "{}", store.size());
        store.insert(500, vec![0; 1_001]);
        assert!(store.size() <= 1_000);
        assert_eq!(store.get(&500), None, "larger than the whole store");
    }

    #[test]
    fn a_key_with_the_same_hash_is_another_key() {
        #[derive(PartialEq, Eq)]
        struct Colliding(u8);
        impl Hash for Colliding {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                0.hash(state);
            }
        }
        let store = Bounded::new(100, |_, _| 1);
        store.insert(Colliding(1), "one");
        assert_eq!(store.get(&Colliding(2)), None);
        assert_eq!(store.get(&Colliding(1)), Some("one"));
    }

    #[test]
    fn what_is_of_no_more_use_goes_by_itself_and_what_is_removed_at_once() {
        let store = Bounded::expiring(100, |_: &u8, _: &u8| 1);
        store.insert_for(1, 1, Duration::ZERO);
        store.insert_for(2, 2, Duration::MAX);
        store.insert(3, 3);
        assert_eq!((store.get(&1), store.get(&2), store.get(&3)), (None, Some(2), Some(3)));
        store.remove(&2);
        assert_eq!((store.get(&2), store.get(&3)), (None, Some(3)));
    }

    #[test]
    fn a_store_of_no_size_keeps_nothing() {
        let store = Bounded::new(0, |_: &u8, _: &u8| 1);
        store.insert(1, 1);
        store.size();
        assert_eq!(store.get(&1), None);
    }
}
