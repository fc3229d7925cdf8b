//! Loaders: many parents, one request. A loader is an endpoint with every template value but the
//! keys; it lives for one step, so nothing it knows outlasts the request.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::future::Future;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use dataloader::BatchFn;
use dataloader::cached::Loader;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use tokio::time::Instant;

use super::Service;
use super::answer::Content;
use super::calls::{Asking, Calls, forwarded, note};
use super::kept::{Kept, RowAsk};
use super::trace::Ended;
use crate::cache::Partition;
use crate::failure::Failure;
use crate::observe::Outcome;
use crate::plan::FetchId;
use crate::projection::Groups;
use crate::schema::{Batch, Endpoint, EndpointId};
use crate::template::{Key, Rendered};

/// Longest URL of a batch, in bytes; more keys go into another request.
const URL_MAX: usize = 8 * 1024;

/// One request of a batch, with the rows it brought once it has ended.
pub(super) struct Chunk {
    /// Ends when the answer is there and its rows are told apart.
    pub(super) rows: Shared<BoxFuture<'static, Result<Arc<ChunkRows>, Arc<Failure>>>>,
}

/// The answer of one request of a batch.
pub(super) struct ChunkRows {
    /// The rows by key.
    pub(super) groups: Groups,
    /// The reply they came in.
    pub(super) content: Arc<Content>,
}

/// What brings each of a list's keys, in the list's order.
pub(super) type Chunks = Arc<[Arc<Chunk>]>;

/// The keys that one fetch wants of a loader, each once. This is what `dataloader` is asked for: it
/// hashes, clones and prints whatever that is several times over, so a list is equal to its clones
/// only, which share it, and prints as nothing.
#[derive(Clone)]
pub(super) struct KeyList {
    keys: Arc<[Key]>,
    /// Whether requests for them are made of anything of the caller's.
    of_caller: bool,
}

impl KeyList {
    /// A list of these keys.
    pub(super) fn new(keys: Vec<Key>, of_caller: bool) -> Self {
        Self { keys: keys.into(), of_caller }
    }
}

impl PartialEq for KeyList {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.keys, &other.keys)
    }
}

impl Eq for KeyList {}

impl Hash for KeyList {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.keys.as_ptr().hash(state);
    }
}

impl fmt::Debug for KeyList {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

/// What makes two loaders one. Compared whole.
#[derive(Clone, PartialEq, Eq, Hash)]
struct LoaderKey {
    endpoint: EndpointId,
    rest: Arc<Rendered>,
    partition: Arc<Partition>,
}

/// Index of a loader among a step's [`Loaders`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct LoaderId(usize);

/// Who wants a loader, and of what.
pub(super) struct Opening<'a> {
    pub(super) fetch: FetchId,
    pub(super) service: Arc<Service>,
    pub(super) endpoint: &'a Arc<Endpoint>,
    pub(super) batch: &'a Arc<Batch>,
}

/// The loaders of one step.
pub(super) struct Loaders {
    calls: Arc<Calls>,
    partition: Arc<Partition>,
    opened: Mutex<Opened>,
}

#[derive(Default)]
struct Opened {
    ids: HashMap<LoaderKey, LoaderId>,
    loaders: Vec<Loader<KeyList, Chunks, Requests>>,
}

impl Loaders {
    /// None yet.
    pub(super) fn new(calls: Arc<Calls>, partition: Arc<Partition>) -> Self {
        Self { calls, partition, opened: Mutex::default() }
    }

    /// The loader of this endpoint and rest.
    pub(super) fn open(&self, opening: Opening<'_>, rest: Arc<Rendered>) -> LoaderId {
        let Opening { fetch, service, endpoint, batch } = opening;
        let partition = Arc::clone(&self.partition);
        let key = LoaderKey { endpoint: endpoint.id, rest, partition };
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        let Opened { ids, loaders } = &mut *opened;
        let place = match ids.entry(key) {
            Entry::Occupied(earlier) => return *earlier.get(),
            Entry::Vacant(place) => place,
        };
        let wire = self.calls.wire();
        let kept = wire.caller(&service.name).ok().map(|headers| {
            let rest = Arc::clone(&place.key().rest);
            let ask = RowAsk { endpoint: endpoint.id, rest, forwarded: forwarded(headers) };
            (Arc::clone(&wire.kept), Arc::new(ask))
        });
        let requests = Requests {
            kept,
            calls: Arc::clone(&self.calls),
            service,
            endpoint: Arc::clone(endpoint),
            fetch,
            batch: Arc::clone(batch),
            rest: Arc::clone(&place.key().rest),
            known: HashMap::new(),
        };
        let loader = Loader::new(requests).with_yield_count(0).with_max_batch_size(usize::MAX);
        loaders.push(loader);
        *place.insert(LoaderId(loaders.len() - 1))
    }

    /// The requests that bring each key of these lists, made now for the keys that no earlier one
    /// brings.
    pub(super) async fn load(
        &self,
        id: LoaderId,
        lists: Vec<KeyList>,
    ) -> Result<HashMap<KeyList, Chunks>, Arc<Failure>> {
        let loader = {
            let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
            opened.loaders.get(id.0).cloned().ok_or_else(super::lost_key)?
        };
        loader.try_load_many(lists).await.map_err(|_| super::lost_key())
    }
}

/// Makes a loader's requests. It waits for none of them: `dataloader` holds its locks while a
/// batch function runs, so this one only says which request will bring which key.
struct Requests {
    calls: Arc<Calls>,
    service: Arc<Service>,
    endpoint: Arc<Endpoint>,
    /// The fetch that opened the loader.
    fetch: FetchId,
    batch: Arc<Batch>,
    rest: Arc<Rendered>,
    /// Where rows are kept, and under what; `None`: they are not.
    kept: Option<(Arc<Kept>, Arc<RowAsk>)>,
    /// What brings each key that was ever asked for.
    known: HashMap<Key, Arc<Chunk>>,
}

impl BatchFn<KeyList, Chunks> for Requests {
    fn load(&mut self, lists: &[KeyList]) -> impl Future<Output = HashMap<KeyList, Chunks>> {
        let keys = lists.iter().flat_map(|list| list.keys.iter());
        let mut new: Vec<&Key> = keys.filter(|key| !self.known.contains_key(key)).collect();
        new.sort_unstable();
        new.dedup();
        self.known.reserve(new.len());
        let kept = self.kept.as_ref().is_some_and(|(kept, _)| kept.has_rows_of(self.endpoint.id));
        if kept && self.calls.takes_kept() {
            let (before, started) = (new.len(), Instant::now());
            new.retain(|key| !self.take_kept(key));
            if new.len() < before {
                let (outcome, duration) = (Outcome::Kept, started.elapsed());
                let ended = Ended { outcome, started, duration, answer: None };
                note(self.calls.wire(), &self.endpoint, Some(before - new.len()), &ended);
            }
        }
        let of_caller = lists.iter().any(|list| list.of_caller);
        for keys in self.chunks(&new) {
            let chunk = Arc::new(self.request(keys, of_caller));
            self.known.extend(keys.iter().map(|key| (Key::clone(key), Arc::clone(&chunk))));
        }
        let chunks = |list: &KeyList| {
            let chunks = list.keys.iter().map(|key| self.known.get(key).cloned());
            Some((list.clone(), chunks.collect::<Option<Chunks>>()?))
        };
        std::future::ready(lists.iter().filter_map(chunks).collect())
    }
}

impl Requests {
    /// Splits sorted keys at the batch's `max` and before the URL grows too long.
    fn chunks<'k>(&self, mut keys: &'k [&'k Key]) -> Vec<&'k [&'k Key]> {
        let max = self.batch.max.max(1);
        let mut chunks = Vec::new();
        while !keys.is_empty() {
            let mut length = self.rest.url_base();
            let fits = keys.iter().take(max).take_while(|key| {
                length += self.rest.url_cost(key);
                length <= URL_MAX
            });
            let (chunk, rest) = keys.split_at(fits.count().max(1));
            chunks.push(chunk);
            keys = rest;
        }
        chunks
    }

    /// Takes a key's rows from those that are kept, if they are.
    fn take_kept(&mut self, key: &Key) -> bool {
        let rows = |(kept, ask): &(Arc<Kept>, _)| kept.rows(ask, key, &self.calls.wire().partition);
        let Some(rows) = self.kept.as_ref().and_then(rows) else { return false };
        let rows = std::future::ready(Ok(rows)).boxed().shared();
        self.known.insert(key.clone(), Arc::new(Chunk { rows }));
        true
    }

    fn request(&self, keys: &[&Key], of_caller: bool) -> Chunk {
        let rows = match self.rest.finish(keys) {
            Ok(request) => {
                let call = self.calls.open(Asking {
                    service: Arc::clone(&self.service),
                    endpoint: Arc::clone(&self.endpoint),
                    fetch: self.fetch,
                    request: Arc::new(request),
                    of_caller,
                    keys: Some(keys.len()),
                    whole: false,
                });
                let (endpoint, batch) = (Arc::clone(&self.endpoint), Arc::clone(&self.batch));
                let keys: Vec<Key> = keys.iter().copied().cloned().collect();
                let (kept, wire) = (self.kept.clone(), Arc::clone(self.calls.wire()));
                async move {
                    let content = call.await?;
                    let groups = content.rows(&endpoint, &batch)?;
                    if let (Some((kept, ask)), Ok(until)) = (kept, content.keeping()) {
                        for key in &keys {
                            let Some(groups) = groups.only(key) else { continue };
                            let rows = ChunkRows { groups, content: Arc::new(Content::of_rows()) };
                            kept.keep_rows(&ask, key, &wire.partition, rows, until);
                        }
                    }
                    Ok(Arc::new(ChunkRows { groups, content }))
                }
                .boxed()
            }
            Err(error) => {
                let failure = super::refused(error, &self.endpoint);
                std::future::ready(Err(failure)).boxed()
            }
        };
        Chunk { rows: rows.shared() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::calls::tests::{endpoint, partitions, wire};
    use super::*;
    use crate::json::Path;
    use crate::schema::By;

    /// A step's loaders are one caller's, so that no request can try this.
    #[test]
    fn keys_of_two_callers_are_not_gathered_in_one_loader() {
        let [ada, bob] = partitions();
        let (service, endpoint, rest) = endpoint();
        let by = By::Property(Path::property("id"));
        let batch = Arc::new(Batch { key: None, by, value: Path::root(), first: None, max: 100 });
        let calls = Arc::new(Calls::new(wire(&ada), 0, true));
        let open = |loaders: &Loaders| {
            let (service, endpoint, batch) = (Arc::clone(&service), &endpoint, &batch);
            let opening = Opening { fetch: FetchId(0), service, endpoint, batch };
            loaders.open(opening, Arc::clone(&rest))
        };
        let adas = Loaders::new(calls, ada);
        let first = open(&adas);
        assert_eq!(open(&adas), first, "opened once");
        let bobs = Loaders { partition: bob, ..adas };
        assert_ne!(open(&bobs), first);
    }
}
