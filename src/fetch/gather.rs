//! Gathers what the holes of one fetch want: for each hole the key or the request, each once.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexSet;

use super::answer::Content;
use super::calls::Asking;
use super::loader::{ChunkRows, KeyList, LoaderId, Opening};
use super::stage::Stage;
use super::{Service, refused};
use crate::failure::{Code, Failure};
use crate::json::{Body, Kind as JsonKind, Path, Value};
use crate::plan::{Fetch, FetchId, Hole, Kind, Plan};
use crate::projection::{Answer, FailedRow, Target};
use crate::schema::Batch;
use crate::template::{Key, KeyPath, Reference, RenderError, Rendered, Request, Root, Values};

/// What one slot of a fetch wants.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Wanted {
    /// The rows of a key.
    Row(LoaderId, Key),
    /// A whole answer.
    Call(Arc<Request>),
    /// Nothing: the key is none (`None`), or it cannot be sent.
    Refused(Option<Key>),
}

/// What tells one slot of a fetch from another.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Want {
    /// What is asked.
    pub(super) wanted: Wanted,
    /// What an expression beside the request reads of the parent, as JSON text.
    pub(super) this: Box<[Option<Box<[u8]>>]>,
}

/// The slots of one fetch, before they are filled.
pub(super) struct Gather<'p> {
    pub(super) id: FetchId,
    pub(super) fetch: &'p Fetch,
    pub(super) service: Result<Arc<Service>, Arc<Failure>>,
    /// What each slot wants; the slot's number is the index.
    pub(super) wanted: IndexSet<Want>,
    /// Whether the request reads the parent.
    reads_this: bool,
    /// The loader last opened and its request; for all parents if that does not.
    loader: Option<Result<(LoaderId, Arc<Rendered>), Stop>>,
    /// The key's path, split before its first `[*]`: the list of keys, and each one within it.
    key_path: Option<(Path, Option<Path>)>,
    /// How many rows a key keeps.
    first: Option<usize>,
    /// How many items of a list are wanted, if a part brings the others.
    pub(super) first_items: Option<usize>,
    /// How many parents there are.
    parents: usize,
    /// How many of them lack each value that is read of them.
    absent: Vec<usize>,
}

/// Why a hole wants nothing.
#[derive(Clone)]
enum Stop {
    Null,
    Failed(Arc<Failure>),
}

impl From<Stop> for Target {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Null => Self::Null,
            Stop::Failed(failure) => Self::Failed(failure),
        }
    }
}

impl<'p> Gather<'p> {
    pub(super) fn new(stage: &Stage<'p, '_>, id: FetchId) -> Self {
        let fetch = stage.plan.fetch(id);
        let args = stage.args(fetch);
        let first = fetch.endpoint.batch.as_ref().and_then(|batch| batch.first.as_ref());
        let first = first.zip(args.as_ref().ok()).and_then(|(path, args)| {
            path.eval(args.root())?
                .as_number()?
                .parse::<i64>()
                .ok()
                .map(|n| usize::try_from(n).unwrap_or(0))
        });
        // Where it fails, the field around has failed.
        let first_items = fetch.first_of.and_then(|part| stage.inputs.first_items(part).ok());
        let service = stage.run.services.get(&fetch.endpoint.upstream);
        let key_path = fetch.key.as_ref().map(KeyPath::split);
        let reads_this =
            fetch.endpoint.request.references().any(|(_, read)| matches!(read.root, Root::This));
        let wanted = IndexSet::new();
        let (loader, parents, absent) = (None, 0, Vec::new());
        Self {
            id,
            fetch,
            service,
            wanted,
            reads_this,
            loader,
            key_path,
            first,
            first_items,
            parents,
            absent,
        }
    }

    /// Says which values that requests read of `this` no parent has, null or not. A name is never
    /// checked against an upstream's answer before there is one; a misspelt one shows here.
    pub(super) fn report_absent(&self, plan: &Plan) {
        let key = self.fetch.key.as_ref().filter(|key| key.root == Root::This);
        let key = key.map(|key| &key.path);
        let parent = self.fetch.parent.map(|parent| &plan.fetch(parent).endpoint.label);
        for (path, absent) in self.fetch.endpoint.this.iter().chain(key).zip(&self.absent) {
            if *absent < self.parents {
                continue;
            }
            let (rows, field) = (self.parents, &self.fetch.coordinate);
            let of = parent.map(tracing::field::display);
            // One row may lack what its upstream leaves out where it is null.
            if rows > 1 {
                tracing::warn!(%field, of, "`this.{path}` is absent in {absent} of {rows} rows");
            } else {
                tracing::debug!(%field, of, "`this.{path}` is absent");
            }
        }
    }

    /// What fills this hole, which has captured so much of the object around it.
    pub(super) fn target(
        &mut self,
        stage: &Stage<'p, '_>,
        hole: &Hole,
        captured: &[Option<Value<'_>>],
    ) -> Target {
        let args = match stage.args(self.fetch) {
            Ok(args) => args,
            Err(failure) => return Target::Failed(failure),
        };
        self.parents += 1;
        self.absent.resize(captured.len(), 0);
        for (absent, value) in self.absent.iter_mut().zip(captured) {
            *absent += usize::from(value.is_none());
        }
        let (this, rest) = captured.split_at(self.fetch.endpoint.this.len().min(captured.len()));
        let (key, computed) = rest.split_at(rest.len().saturating_sub(self.fetch.computed_slots()));
        let values = Values {
            args: args.root(),
            this,
            claims: stage.inputs.claims,
            headers: stage.run.headers,
            key: None,
        };
        let key = key.first().copied().flatten();
        let wanted = match (&self.fetch.key, hole.list) {
            (None, _) => self.whole(&values),
            (Some(_), None) => match self.key(&values, key) {
                Some(key) => self.keyed(stage, &values, key),
                None => Err(Stop::Null),
            },
            (Some(_), Some(_)) => return self.list(stage, &values, key),
        };
        match wanted {
            Ok(wanted) => {
                let raw = |value: &Option<Value<'_>>| value.map(|value| value.raw().into());
                Target::Slot(self.slot(wanted, computed.iter().map(raw).collect()))
            }
            Err(stop) => stop.into(),
        }
    }

    /// A list of keys: one value a key, in order.
    fn list(
        &mut self,
        stage: &Stage<'p, '_>,
        values: &Values<'_>,
        captured: Option<Value<'_>>,
    ) -> Target {
        let Some(list) = self.key(values, captured) else { return Target::Null };
        if list.kind() != JsonKind::Array {
            return Target::Failed(
                self.bad_key("Something else stands where a list of keys must."),
            );
        }
        let first = self.first_items.unwrap_or(usize::MAX);
        let keys: Vec<Value<'_>> = match &self.key_path {
            Some((_, Some(below))) => below.eval_all(list).take(first).collect(),
            _ => list.items().take(first).collect(),
        };
        let mut slots = Vec::with_capacity(keys.len());
        for key in keys {
            let wanted =
                if key.is_null() { Err(Stop::Null) } else { self.keyed(stage, values, key) };
            match wanted {
                Ok(wanted) => slots.push(Some(self.slot(wanted, Box::default()))),
                Err(Stop::Null) => slots.push(None),
                Err(Stop::Failed(failure)) => return Target::Failed(failure),
            }
        }
        Target::List(slots)
    }

    /// The key, or the list that the keys are in; `None`: null, as is a missing claim.
    fn key<'v>(&self, values: &Values<'v>, captured: Option<Value<'v>>) -> Option<Value<'v>> {
        let (path, _) = self.key_path.as_ref()?;
        let found = match self.fetch.key.as_ref()?.root {
            Root::Args => path.eval(values.args),
            Root::Claims => path.eval(values.claims?),
            _ => captured,
        };
        found.filter(|found| !found.is_null())
    }

    /// What brings the value of a key that is not null. One that cannot be sent costs its own value
    /// only.
    fn keyed(
        &mut self,
        stage: &Stage<'p, '_>,
        values: &Values<'_>,
        key: Value<'_>,
    ) -> Result<Wanted, Stop> {
        let Some(key) = Key::from_json(key) else { return Ok(Wanted::Refused(None)) };
        match &self.fetch.endpoint.batch {
            Some(batch) => self.row_of(stage, batch, values, key),
            None => {
                let wanted = self.request(&Values { key: Some(&key), ..*values })?;
                Ok(wanted.unwrap_or(Wanted::Refused(Some(key))))
            }
        }
    }

    /// The whole request tells one parent's value from another's.
    fn whole(&self, values: &Values<'_>) -> Result<Wanted, Stop> {
        Ok(self.request(values)?.unwrap_or(Wanted::Refused(None)))
    }

    /// A request of these values; `None`: it cannot carry their key.
    fn request(&self, values: &Values<'_>) -> Result<Option<Wanted>, Stop> {
        self.reachable()?;
        let rendered = self.fetch.endpoint.request.render(values);
        match rendered.and_then(|rendered| rendered.finish(&[])) {
            Ok(request) => Ok(Some(Wanted::Call(Arc::new(request)))),
            Err(RenderError::Key { .. }) => Ok(None),
            Err(error) => Err(self.stop(error)),
        }
    }

    /// The rows of a key, unless the loader's request cannot carry it.
    fn row_of(
        &mut self,
        stage: &Stage<'p, '_>,
        batch: &Arc<Batch>,
        values: &Values<'_>,
        key: Key,
    ) -> Result<Wanted, Stop> {
        if self.reads_this || self.loader.is_none() {
            self.loader = Some(self.open(stage, batch, values));
        }
        match &self.loader {
            Some(Ok((_, rest))) if rest.check_key(&key).is_err() => Ok(Wanted::Refused(Some(key))),
            Some(Ok((loader, _))) => Ok(Wanted::Row(*loader, key)),
            Some(Err(stop)) => Err(stop.clone()),
            None => Err(Stop::Null),
        }
    }

    fn open(
        &self,
        stage: &Stage<'p, '_>,
        batch: &Arc<Batch>,
        values: &Values<'_>,
    ) -> Result<(LoaderId, Arc<Rendered>), Stop> {
        let (service, endpoint) = (self.reachable()?, &self.fetch.endpoint);
        let rest = endpoint.request.render(values).map_err(|error| self.stop(error))?;
        let rest = Arc::new(rest);
        let opening = Opening { fetch: self.id, service, endpoint, batch };
        Ok((stage.loaders.open(opening, Arc::clone(&rest)), rest))
    }

    fn reachable(&self) -> Result<Arc<Service>, Stop> {
        self.service.clone().map_err(Stop::Failed)
    }

    fn stop(&self, error: RenderError) -> Stop {
        match error {
            RenderError::Null => Stop::Null,
            error => Stop::Failed(refused(error, &self.fetch.endpoint)),
        }
    }

    /// A request that it wants the whole answer of.
    pub(super) fn asking(&self, service: &Arc<Service>, request: &Arc<Request>) -> Asking {
        Asking {
            service: Arc::clone(service),
            endpoint: Arc::clone(&self.fetch.endpoint),
            fetch: self.id,
            request: Arc::clone(request),
            of_caller: self.of_caller(),
            keys: None,
            whole: true,
        }
    }

    /// Whether its requests are made of anything of the caller's.
    fn of_caller(&self) -> bool {
        let reads = |read: &Reference| matches!(read.root, Root::Claims | Root::Headers(_));
        let mut references = self.fetch.endpoint.request.references();
        self.fetch.key.as_ref().is_some_and(|key| key.root == Root::Claims)
            || references.any(|(_, read)| reads(read))
    }

    /// The keys it wants of each loader, in the order of the slots.
    pub(super) fn keys(&self) -> BTreeMap<LoaderId, KeyList> {
        let mut keys: BTreeMap<LoaderId, Vec<Key>> = BTreeMap::new();
        for want in &self.wanted {
            if let Wanted::Row(loader, key) = &want.wanted {
                keys.entry(*loader).or_default().push(key.clone());
            }
        }
        let of_caller = self.of_caller();
        keys.into_iter().map(|(loader, keys)| (loader, KeyList::new(keys, of_caller))).collect()
    }

    fn slot(&mut self, wanted: Wanted, this: Box<[Option<Box<[u8]>>]>) -> u32 {
        let (slot, _) = self.wanted.insert_full(Want { wanted, this });
        u32::try_from(slot).unwrap_or(u32::MAX)
    }

    /// Why a slot of [`Wanted::Refused`] has no value.
    pub(super) fn refusal(&self, key: Option<&Key>) -> Arc<Failure> {
        self.bad_key(match key {
            None => "An object or a list stands where a key must.",
            Some(_) => "A key cannot be sent to the upstream.",
        })
    }

    /// A failure of what the key is: of whoever has given it.
    fn bad_key(&self, message: &'static str) -> Arc<Failure> {
        let endpoint = &self.fetch.endpoint;
        tracing::warn!(endpoint = %endpoint.label, message, "a key is refused");
        let failure = match self.fetch.key.as_ref().map(|key| &key.root) {
            Some(Root::Args) => Failure::new(Code::BadUserInput, message),
            Some(Root::Claims) => {
                Failure::new(Code::Unauthenticated, "The caller's identity lacks what this needs.")
            }
            _ => Failure::new(Code::UpstreamBadAnswer, message).of(&endpoint.upstream, None),
        };
        Arc::new(failure)
    }

    /// The answer of a slot that has a reply for itself.
    pub(super) fn value(&self, content: &Content) -> Result<Answer, Arc<Failure>> {
        let answer = content.value(&self.fetch.endpoint)?;
        // What only leads to the value may be nothing: the key may come from elsewhere.
        let leads_on = matches!(self.fetch.shape.kind, Kind::Through(_) | Kind::Computed(..));
        if leads_on && matches!(answer, Answer::Null) {
            let nothing = Body::null();
            let place = nothing.root().place();
            return Ok(Answer::Value(nothing, place));
        }
        Ok(answer)
    }

    /// The answer of a slot that shares a reply: its key's rows.
    pub(super) fn row(&self, rows: &ChunkRows, key: &Key) -> Result<Answer, Arc<Failure>> {
        let answer = if self.fetch.takes_all_rows() {
            rows.groups.list(key, self.first)
        } else {
            rows.groups.one(key)
        };
        answer.map_err(|FailedRow(place)| {
            let row = rows.groups.body().at(place);
            rows.content.failed_row(&self.fetch.endpoint, row)
        })
    }
}
