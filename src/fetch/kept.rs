//! What outlives a request: upstreams' answers while they are fresh, and calls under way, which a
//! second request that asks the same may wait for. Each of them is its caller's own, unless the
//! answer says that all may share it.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{BoxFuture, Shared, WeakShared};
use http::header::{HeaderName, HeaderValue};

use super::answer::Content;
use super::loader::ChunkRows;
use crate::cache::{Clock, Fresh, Partition, Scope, Tally};
use crate::failure::Failure;
use crate::schema::EndpointId;
use crate::template::{Key, Rendered, Request};

/// What an entry takes beside its texts, in bytes, about.
const OVERHEAD: usize = 400;

/// Headers of the client that go along with a call, as its upstream's settings list them.
pub(super) type Forwarded = Box<[(HeaderName, HeaderValue)]>;

/// A call as another request's: what came of it, and whether others may have it too.
pub(super) type Flight = Shared<BoxFuture<'static, Flown>>;

/// What came of a call.
pub(super) type Flown = Result<Arc<Content>, Arc<Failure>>;

/// Answers that are kept between requests, and the calls under way.
pub struct Kept {
    answers: Fresh<AnswerKey, Arc<Content>>,
    rows: Fresh<RowKey, Arc<ChunkRows>>,
    flights: Mutex<Flights>,
    clock: Clock,
    /// Whether there is room for anything.
    on: bool,
    tally: Tally,
    /// Whether any answer was ever kept; until then none is looked for.
    any: AtomicBool,
    /// Endpoints of which rows were ever kept; of no other one any is looked for.
    endpoints: RwLock<HashSet<EndpointId>>,
}

#[derive(Default)]
struct Flights {
    under_way: HashMap<AnswerKey, (u64, WeakShared<BoxFuture<'static, Flown>>)>,
    started: u64,
}

/// What is asked of whom. Compared whole.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Ask {
    pub(super) service: Arc<str>,
    pub(super) request: Arc<Request>,
    pub(super) forwarded: Forwarded,
}

/// What is asked of whom, but for the key.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct RowAsk {
    pub(super) endpoint: EndpointId,
    pub(super) rest: Arc<Rendered>,
    pub(super) forwarded: Forwarded,
}

/// An answer, and whose it is; `None`: everybody's.
#[derive(Clone, PartialEq, Eq, Hash)]
struct AnswerKey {
    ask: Ask,
    whose: Option<Arc<Partition>>,
}

/// A key's rows, and whose they are; `None`: everybody's.
#[derive(Clone, PartialEq, Eq, Hash)]
struct RowKey {
    ask: Arc<RowAsk>,
    key: Key,
    whose: Option<Arc<Partition>>,
}

/// Until when something is kept, by [`Clock::elapsed`], and for whom.
#[derive(Debug, Clone, Copy)]
pub(super) struct Until {
    pub(super) until: Duration,
    pub(super) scope: Scope,
}

impl Until {
    fn whose(self, partition: &Arc<Partition>) -> Option<Arc<Partition>> {
        match self.scope {
            Scope::Shared => None,
            Scope::Private => Some(Arc::clone(partition)),
        }
    }
}

impl Kept {
    /// Keeps answers of so many bytes in all; with 0 none. Freshness is measured by this clock.
    #[must_use]
    pub fn new(max: usize, clock: Clock) -> Self {
        let half = max as u64 / 2;
        let answers = Fresh::new(half, clock.clone(), |key: &AnswerKey, content: &Arc<Content>| {
            key.ask.request.path_and_query.len() + content.size() + OVERHEAD
        });
        let rows = Fresh::new(half, clock.clone(), |key: &RowKey, rows: &Arc<ChunkRows>| {
            key.key.text().len() + rows.groups.size() + OVERHEAD
        });
        Self {
            answers,
            rows,
            flights: Mutex::default(),
            clock,
            on: max > 0,
            tally: Tally::default(),
            any: AtomicBool::new(false),
            endpoints: RwLock::default(),
        }
    }

    /// The clock that freshness is measured by.
    pub(super) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Whether anything is kept at all.
    pub(super) fn is_on(&self) -> bool {
        self.on
    }

    /// What became of answers, in numbers.
    #[must_use]
    pub fn tally(&self) -> &Tally {
        &self.tally
    }

    /// An answer that is kept: the caller's own, else everybody's.
    pub(super) fn answer(&self, ask: &Ask, partition: &Arc<Partition>) -> Option<Arc<Content>> {
        if !self.any.load(Ordering::Relaxed) {
            return None;
        }
        let whose = [Some(Arc::clone(partition)), None];
        whose.into_iter().find_map(|whose| self.answers.get(&AnswerKey { ask: ask.clone(), whose }))
    }

    /// Keeps an answer.
    pub(super) fn keep_answer(
        &self,
        ask: Ask,
        partition: &Arc<Partition>,
        content: Arc<Content>,
        until: Until,
    ) {
        let key = AnswerKey { ask, whose: until.whose(partition) };
        self.answers.insert(key, content, until.until);
        self.any.store(true, Ordering::Relaxed);
    }

    /// Whether rows of this endpoint may be kept.
    pub(super) fn has_rows_of(&self, endpoint: EndpointId) -> bool {
        self.endpoints.read().unwrap_or_else(PoisonError::into_inner).contains(&endpoint)
    }

    /// The rows of a key that are kept: the caller's own, else everybody's.
    pub(super) fn rows(
        &self,
        ask: &Arc<RowAsk>,
        key: &Key,
        partition: &Arc<Partition>,
    ) -> Option<Arc<ChunkRows>> {
        let whose = [Some(Arc::clone(partition)), None];
        whose.into_iter().find_map(|whose| {
            let (ask, key) = (Arc::clone(ask), key.clone());
            self.rows.get(&RowKey { ask, key, whose })
        })
    }

    /// Keeps the rows of one key, or that there are none.
    pub(super) fn keep_rows(
        &self,
        ask: &Arc<RowAsk>,
        key: &Key,
        partition: &Arc<Partition>,
        rows: ChunkRows,
        until: Until,
    ) {
        if !self.has_rows_of(ask.endpoint) {
            let mut endpoints = self.endpoints.write().unwrap_or_else(PoisonError::into_inner);
            endpoints.insert(ask.endpoint);
        }
        let key = RowKey { ask: Arc::clone(ask), key: key.clone(), whose: until.whose(partition) };
        self.rows.insert(key, Arc::new(rows), until.until);
    }

    /// The call under way that asks the same for the same caller; else `call`, which others may
    /// wait for from now on. Whoever waits moves it on, so that the loss of the one who began
    /// it loses nobody else's.
    pub(super) fn fly(
        self: &Arc<Self>,
        ask: Ask,
        partition: &Arc<Partition>,
        call: impl FnOnce() -> BoxFuture<'static, Flown>,
    ) -> (Flight, Role) {
        let key = AnswerKey { ask, whose: Some(Arc::clone(partition)) };
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        let under_way = flights.under_way.get(&key).and_then(|(_, flight)| flight.upgrade());
        if let Some(flight) = under_way {
            return (flight, Role::Follows);
        }
        flights.started += 1;
        let number = flights.started;
        let landing = Landing { kept: Arc::clone(self), key: key.clone(), number };
        let call = call();
        let flight = async move {
            let flown = call.await;
            drop(landing);
            flown
        };
        let flight = flight.boxed().shared();
        if let Some(weak) = flight.downgrade() {
            flights.under_way.insert(key, (number, weak));
        }
        (flight, Role::Leads)
    }
}

/// Who began a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// This request.
    Leads,
    /// Another one.
    Follows,
}

/// Takes a call off the list when it has ended, or when nobody waits for it any more.
struct Landing {
    kept: Arc<Kept>,
    key: AnswerKey,
    number: u64,
}

impl Drop for Landing {
    fn drop(&mut self) {
        let mut flights = self.kept.flights.lock().unwrap_or_else(PoisonError::into_inner);
        if flights.under_way.get(&self.key).is_some_and(|(number, _)| *number == self.number) {
            flights.under_way.remove(&self.key);
        }
    }
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { answers, rows, .. } = self;
        f.debug_struct("Kept").field("answers", answers).field("rows", rows).finish_non_exhaustive()
    }
}
