//! Gathers what the holes of one fetch want: for each hole the key or the request, each once.

use std::sync::Arc;

use indexmap::IndexSet;

use super::answer::Content;
use super::loader::{ChunkRows, LoaderId};
use super::stage::Stage;
use super::{Service, refused};
use crate::failure::{Code, Failure};
use crate::json::{Kind as JsonKind, Path, Value};
use crate::plan::{Fetch, FetchId, Hole, Kind};
use crate::projection::{Answer, FailedRow, Instance, Target};
use crate::schema::Batch;
use crate::template::{Key, RenderError, Rendered, Request, Root, Values};

/// What one slot of a fetch wants.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) enum Wanted {
    /// The rows of a key.
    Row(LoaderId, Key),
    /// A whole answer.
    Call(Request),
}

/// The slots of one fetch, before they are filled.
pub(super) struct Gather<'p> {
    pub(super) id: FetchId,
    pub(super) fetch: &'p Fetch,
    pub(super) service: Result<Arc<Service>, Arc<Failure>>,
    /// What each slot wants; the slot's number is the index.
    pub(super) wanted: IndexSet<Wanted>,
    /// Whether the request reads the parent.
    reads_this: bool,
    /// The loader of a batch whose request does not.
    shared: Option<Result<LoaderId, Stop>>,
    /// What is read of what the key is read from: of the arguments, the claims, or a capture.
    key_path: Option<Path>,
    /// How many rows a key keeps.
    first: Option<usize>,
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
        let service = stage.run.services.get(&fetch.endpoint.upstream);
        let key_path = fetch.key.as_ref().and_then(|key| match key.root {
            Root::Args | Root::Claims => Some(key.path.clone()),
            _ => key.split().1,
        });
        let reads_this =
            fetch.endpoint.request.references().any(|(_, read)| matches!(read.root, Root::This));
        let wanted = IndexSet::new();
        Self { id, fetch, service, wanted, reads_this, shared: None, key_path, first }
    }

    /// What fills this hole.
    pub(super) fn target(
        &mut self,
        stage: &Stage<'p, '_>,
        hole: &Hole,
        instance: Option<&Instance>,
    ) -> Target {
        let args = match stage.args(self.fetch) {
            Ok(args) => args,
            Err(failure) => return Target::Failed(failure),
        };
        let captured: Vec<Option<Value<'_>>> = hole
            .slots
            .iter()
            .map(|slot| instance.and_then(|instance| instance.capture(*slot)))
            .collect();
        let (this, key) = captured.split_at(self.fetch.endpoint.this.len().min(captured.len()));
        let values = Values {
            args: args.root(),
            this,
            claims: stage.inputs.claims,
            headers: stage.run.headers,
            key: None,
        };
        let key = key.first().copied().flatten();
        match (&self.fetch.key, hole.list) {
            (None, _) => self.whole(&values).map_or_else(Target::from, Target::Slot),
            (Some(_), None) => {
                let keys = self.keys(&values, key);
                let slot = keys.and_then(|keys| match keys.first() {
                    Some(key) => self.keyed(stage, &values, *key),
                    None => Err(Stop::Null),
                });
                slot.map_or_else(Target::from, Target::Slot)
            }
            (Some(_), Some(_)) => self.list(stage, &values, key),
        }
    }

    /// A list of keys: one value a key, in order.
    fn list(
        &mut self,
        stage: &Stage<'p, '_>,
        values: &Values<'_>,
        key: Option<Value<'_>>,
    ) -> Target {
        let keys = match self.keys(values, key) {
            Ok(keys) => keys,
            Err(stop) => return stop.into(),
        };
        let mut slots = Vec::with_capacity(keys.len());
        for key in keys {
            match self.keyed(stage, values, key) {
                Ok(slot) => slots.push(Some(slot)),
                Err(Stop::Null) => slots.push(None),
                Err(Stop::Failed(failure)) => return Target::Failed(failure),
            }
        }
        Target::List(slots)
    }

    /// The values that the fetch's key path finds; a missing claim is a null key.
    fn keys<'v>(
        &self,
        values: &Values<'v>,
        captured: Option<Value<'v>>,
    ) -> Result<Vec<Value<'v>>, Stop> {
        let Some(key) = &self.fetch.key else { return Err(Stop::Null) };
        let root = match key.root {
            Root::Args => Some(values.args),
            Root::Claims => values.claims,
            _ => captured,
        };
        let found: Vec<Value<'v>> = match (&self.key_path, root) {
            (Some(path), Some(root)) => path.eval_all(root).collect(),
            (None, found) => found.into_iter().collect(),
            (Some(_), None) => Vec::new(),
        };
        match found.as_slice() {
            [] => Err(Stop::Null),
            [one] if one.is_null() => Err(Stop::Null),
            [one] if one.kind() == JsonKind::Array => Ok(one.items().collect()),
            _ => Ok(found),
        }
    }

    fn keyed(
        &mut self,
        stage: &Stage<'p, '_>,
        values: &Values<'_>,
        key: Value<'_>,
    ) -> Result<u32, Stop> {
        if key.is_null() {
            return Err(Stop::Null);
        }
        let Some(key) = Key::from_json(key) else { return Err(Stop::Failed(self.not_a_key())) };
        let fetch = self.fetch;
        match &fetch.endpoint.batch {
            Some(batch) => {
                let loader = self.loader(stage, batch, values)?;
                Ok(self.slot(Wanted::Row(loader, key)))
            }
            None => self.whole(&Values { key: Some(&key), ..*values }),
        }
    }

    /// The whole request tells one parent's value from another's.
    fn whole(&mut self, values: &Values<'_>) -> Result<u32, Stop> {
        self.reachable()?;
        let request = self.render(values)?.finish(&[]).map_err(|error| self.stop(error))?;
        Ok(self.slot(Wanted::Call(request)))
    }

    fn loader(
        &mut self,
        stage: &Stage<'p, '_>,
        batch: &Arc<Batch>,
        values: &Values<'_>,
    ) -> Result<LoaderId, Stop> {
        if let Some(shared) = &self.shared {
            return shared.clone();
        }
        let service = self.reachable()?;
        let endpoint = &self.fetch.endpoint;
        let open = |rest| stage.loaders.open(&service, endpoint, batch, rest);
        let loader = self.render(values).map(open);
        if !self.reads_this {
            self.shared = Some(loader.clone());
        }
        loader
    }

    fn reachable(&self) -> Result<Arc<Service>, Stop> {
        self.service.clone().map_err(Stop::Failed)
    }

    fn render(&self, values: &Values<'_>) -> Result<Rendered, Stop> {
        self.fetch.endpoint.request.render(values).map_err(|error| self.stop(error))
    }

    fn stop(&self, error: RenderError) -> Stop {
        match error {
            RenderError::Null => Stop::Null,
            error => Stop::Failed(refused(error, &self.fetch.endpoint)),
        }
    }

    fn slot(&mut self, wanted: Wanted) -> u32 {
        let (slot, _) = self.wanted.insert_full(wanted);
        u32::try_from(slot).unwrap_or(u32::MAX)
    }

    fn not_a_key(&self) -> Arc<Failure> {
        let failure = Failure::new(
            Code::UpstreamBadAnswer,
            "The upstream gave an object or a list where a key must stand.",
        );
        Arc::new(failure.of(&self.fetch.endpoint.upstream, None))
    }

    /// The answer of a slot that has a reply for itself.
    pub(super) fn value(&self, content: &Content) -> Result<Answer, Arc<Failure>> {
        content.value(&self.fetch.endpoint)
    }

    /// The answer of a slot that shares a reply: its key's rows.
    pub(super) fn row(&self, rows: &ChunkRows, key: &Key) -> Result<Answer, Arc<Failure>> {
        let answer = if takes_all_rows(&self.fetch.shape.kind) {
            rows.groups.list(key, self.first)
        } else {
            rows.groups.one(key)
        };
        answer.map_err(|FailedRow(span)| {
            let row = rows.groups.body().at(span);
            rows.content.failed_row(&self.fetch.endpoint, row)
        })
    }
}

/// Whether a key's value is made of all its rows, not of the first.
fn takes_all_rows(kind: &Kind) -> bool {
    match kind {
        Kind::List(_) => true,
        Kind::Through(through) => through.hole.list.is_some(),
        Kind::Computed(_, shape) => takes_all_rows(&shape.kind),
        Kind::Leaf(_) | Kind::Object(_) | Kind::Abstract(_) => false,
    }
}
