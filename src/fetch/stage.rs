//! Runs the fetches of one step: a fetch starts the moment its parents have been scanned. Fetches
//! that share a request are scanned together, so that their children share batches too.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use indexmap::IndexMap;

use super::Run;
use super::calls::{Asking, Calls, SharedCall};
use super::gather::{Gather, Want, Wanted};
use super::loader::{Chunk, Chunks, KeyList, LoaderId, Loaders};
use crate::failure::Failure;
use crate::json::{Body, Value};
use crate::plan::{Fetch, FetchId, Plan};
use crate::projection::{Answer, Fragment, Inputs, Layouts, Slot, Tables, project};
use crate::template::Key;

/// The slots of one fetch, or of the root.
pub(super) struct Filled<'p> {
    /// The fetch; `None`: the root.
    pub(super) fetch: Option<FetchId>,
    /// Its slots.
    pub(super) slots: Vec<Slot<'p>>,
}

/// One step of a plan, under way.
pub(super) struct Stage<'p, 'r> {
    pub(super) plan: &'p Plan,
    pub(super) inputs: Inputs<'r>,
    pub(super) run: &'r Run<'r>,
    pub(super) calls: Arc<Calls>,
    pub(super) loaders: Arc<Loaders>,
}

/// What will bring the answer of a slot.
enum Source {
    Row(Arc<Chunk>, Key),
    Call(SharedCall),
    Lost(Arc<Failure>),
}

/// What brings the keys of one fetch, by loader: those of a loader in the order of the slots, and
/// how many of them are taken.
struct Brought(BTreeMap<LoaderId, Result<(Chunks, usize), Arc<Failure>>>);

impl Brought {
    /// What brings the next key of a loader.
    fn next(&mut self, loader: LoaderId, key: &Key) -> Source {
        match self.0.get_mut(&loader) {
            Some(Ok((chunks, taken))) => {
                let chunk = chunks.get(*taken);
                *taken += 1;
                chunk.map_or_else(
                    || Source::Lost(super::lost_key()),
                    |chunk| Source::Row(Arc::clone(chunk), key.clone()),
                )
            }
            Some(Err(failure)) => Source::Lost(Arc::clone(failure)),
            None => Source::Lost(super::lost_key()),
        }
    }
}

/// A fetch whose requests are made.
struct Asked<'p> {
    gather: Gather<'p>,
    sources: Vec<Source>,
}

impl Asked<'_> {
    /// Says for how many keys the upstream gave several rows where one is wanted.
    fn report_several(&self) {
        let endpoint = &self.gather.fetch.endpoint.label;
        let has_several = |source: &&Source| match source {
            Source::Row(chunk, key) => match chunk.rows.peek() {
                Some(Ok(rows)) => rows.groups.has_several(key),
                _ => false,
            },
            Source::Call(_) | Source::Lost(_) => false,
        };
        if self.gather.fetch.takes_all_rows() {
            return;
        }
        let keys = self.sources.iter().filter(has_several).count();
        if keys > 0 {
            let of = self.sources.len();
            tracing::warn!(%endpoint, keys, of, "keys have several rows; the first counts");
        }
    }
}

impl<'p> Stage<'p, '_> {
    /// Fills the holes of the root, and the holes of what fills them.
    pub(super) async fn fill(&self, root: Fragment<'p>) -> (Option<Slot<'p>>, Tables<'p>) {
        let root = Filled { fetch: None, slots: vec![Slot { fragment: root, targets: vec![] }] };
        let mut tables: Vec<Vec<Slot<'p>>> = Vec::new();
        tables.resize_with(self.plan.fetches.len(), Vec::new);
        let mut top = None;
        for mut filled in self.descend(vec![root]).await {
            match filled.fetch {
                None => top = filled.slots.pop(),
                Some(id) => {
                    if let Some(table) = tables.get_mut(id.0 as usize) {
                        *table = filled.slots;
                    }
                }
            }
        }
        (top, Tables(tables))
    }

    /// The request of a fetch that the root's holes want, if it is one.
    pub(super) fn asked_first(&self, root: Fragment<'p>, id: FetchId) -> Option<Asking> {
        let root = Filled { fetch: None, slots: vec![Slot { fragment: root, targets: vec![] }] };
        let gathers = self.gather(&mut [root]);
        let gather = gathers.iter().find(|gather| gather.id == id)?;
        let service = gather.service.as_ref().ok()?;
        match &gather.wanted.first()?.wanted {
            Wanted::Call(request) => Some(gather.asking(service, request)),
            Wanted::Row(..) | Wanted::Refused(_) => None,
        }
    }

    fn descend<'a>(&'a self, mut parents: Vec<Filled<'p>>) -> BoxFuture<'a, Vec<Filled<'p>>> {
        async move {
            let gathers = self.gather(&mut parents);
            if gathers.is_empty() {
                return parents;
            }
            let asked = self.ask(gathers).await;
            let groups = together(asked).into_iter().map(|group| self.answer(group));
            for filled in join_all(groups).await {
                parents.extend(filled);
            }
            parents
        }
        .boxed()
    }

    /// What the holes of these slots want, by fetch.
    fn gather(&self, parents: &mut [Filled<'p>]) -> Vec<Gather<'p>> {
        let mut gathers: BTreeMap<FetchId, Gather<'p>> = BTreeMap::new();
        let mut captured = Vec::new();
        for Slot { fragment, targets } in parents.iter_mut().flat_map(|filled| &mut filled.slots) {
            let fragment = &*fragment;
            targets.reserve_exact(fragment.holes.len());
            for place in &fragment.holes {
                let id = place.hole.fetch;
                let gather = gathers.entry(id).or_insert_with(|| Gather::new(self, id));
                let read = |slot: &u32| fragment.capture(place.instance, *slot);
                captured.clear();
                captured.extend(place.hole.slots.iter().map(read));
                targets.push(gather.target(self, place.hole, &captured));
            }
        }
        let gathers = gathers.into_values().inspect(|gather| gather.report_absent(self.plan));
        gathers.filter(|gather| !gather.wanted.is_empty()).collect()
    }

    /// Makes the requests: all keys of a loader at once, whichever fetch wants them.
    async fn ask(&self, gathers: Vec<Gather<'p>>) -> Vec<Asked<'p>> {
        let wanted: Vec<BTreeMap<LoaderId, KeyList>> = gathers.iter().map(Gather::keys).collect();
        let mut lists: BTreeMap<LoaderId, Vec<KeyList>> = BTreeMap::new();
        for (loader, keys) in wanted.iter().flatten() {
            lists.entry(*loader).or_default().push(keys.clone());
        }
        let mut loaded = BTreeMap::new();
        for (loader, lists) in lists {
            loaded.insert(loader, self.loaders.load(loader, lists).await);
        }
        let asked = gathers.into_iter().zip(wanted).map(|(gather, keys)| {
            let chunks = |(loader, keys): (LoaderId, KeyList)| {
                let chunks = match loaded.get(&loader) {
                    Some(Ok(chunks)) => chunks.get(&keys).cloned().ok_or_else(super::lost_key),
                    Some(Err(failure)) => Err(Arc::clone(failure)),
                    None => Err(super::lost_key()),
                };
                (loader, chunks.map(|chunks| (chunks, 0)))
            };
            let mut brought = Brought(keys.into_iter().map(chunks).collect());
            let sources = match &gather.service {
                Ok(service) => gather
                    .wanted
                    .iter()
                    .map(|want| match &want.wanted {
                        Wanted::Row(loader, key) => brought.next(*loader, key),
                        Wanted::Call(request) => {
                            Source::Call(self.calls.open(gather.asking(service, request)))
                        }
                        Wanted::Refused(key) => Source::Lost(gather.refusal(key.as_ref())),
                    })
                    .collect(),
                Err(_) => Vec::new(),
            };
            Asked { gather, sources }
        });
        asked.collect()
    }

    /// Waits for the requests of fetches that share some, projects their answers, and goes on to
    /// the holes in them.
    async fn answer(&self, group: Vec<Asked<'p>>) -> Vec<Filled<'p>> {
        wait(&group).await;
        let filled = group.into_iter().map(|asked| {
            asked.report_several();
            let mut layouts = Layouts::default();
            let sources = asked.gather.wanted.iter().zip(&asked.sources);
            let slots =
                sources.map(|(want, source)| self.slot(&asked.gather, want, source, &mut layouts));
            Filled { fetch: Some(asked.gather.id), slots: slots.collect() }
        });
        self.descend(filled.collect()).await
    }

    /// The arguments of a fetch's field, or why there are none.
    pub(super) fn args(&self, fetch: &Fetch) -> Result<&Body, Arc<Failure>> {
        match self.inputs.args.get(fetch.args.0 as usize) {
            Some(args) => args.as_ref().map_err(Arc::clone),
            None => Err(super::lost_key()),
        }
    }

    fn slot(
        &self,
        gather: &Gather<'p>,
        want: &Want,
        source: &Source,
        layouts: &mut Layouts<'p>,
    ) -> Slot<'p> {
        let answer = match source {
            Source::Row(chunk, key) => match chunk.rows.peek() {
                Some(Ok(rows)) => gather.row(rows, key),
                Some(Err(failure)) => Err(Arc::clone(failure)),
                None => Err(super::lost_key()),
            },
            Source::Call(call) => match call.peek() {
                Some(Ok(content)) => gather.value(content),
                Some(Err(failure)) => Err(Arc::clone(failure)),
                None => Err(super::lost_key()),
            },
            Source::Lost(failure) => Err(Arc::clone(failure)),
        };
        let fragment = match answer.map(|answer| answer.first(gather.first_items)) {
            Ok(answer) => self.project(gather.fetch, &answer, want, layouts),
            Err(failure) => Fragment::failed(failure),
        };
        Slot { fragment, targets: Vec::new() }
    }

    fn project(
        &self,
        fetch: &'p Fetch,
        answer: &Answer,
        want: &Want,
        layouts: &mut Layouts<'p>,
    ) -> Fragment<'p> {
        let this: Vec<Option<Body>> = want.this.iter().map(|text| body(text.as_deref())).collect();
        let this: Vec<Option<Value<'_>>> =
            this.iter().map(|body| body.as_ref().map(Body::root)).collect();
        let inputs = Inputs { this: &this, ..self.inputs };
        project(answer, &fetch.shape, &inputs, &fetch.endpoint.upstream, layouts)
    }
}

/// A part of a body as a body of its own.
fn body(text: Option<&[u8]>) -> Option<Body> {
    Body::parse(Bytes::copy_from_slice(text?)).ok()
}

/// Waits for every request of a group; each is awaited once, however many slots it fills.
async fn wait(group: &[Asked<'_>]) {
    let mut seen = HashSet::new();
    let mut last = 0;
    let mut chunks = Vec::new();
    let mut calls = Vec::new();
    for source in group.iter().flat_map(|asked| &asked.sources) {
        match source {
            // Most keys are brought by the same request as the one before.
            Source::Row(chunk, _) if Arc::as_ptr(chunk) as usize != last => {
                last = Arc::as_ptr(chunk) as usize;
                if seen.insert(last) {
                    chunks.push(chunk.rows.clone());
                }
            }
            Source::Row(..) | Source::Lost(_) => {}
            Source::Call(call) => calls.push(call.clone()),
        }
    }
    futures::join!(join_all(chunks), join_all(calls));
}

/// Parts fetches into groups: two that want the same loader or the same call are in one group.
fn together(asked: Vec<Asked<'_>>) -> Vec<Vec<Asked<'_>>> {
    if asked.len() == 1 {
        return vec![asked];
    }
    let mut group_of: Vec<usize> = (0..asked.len()).collect();
    let mut first: HashMap<Shared<'_>, usize> = HashMap::new();
    for (index, one) in asked.iter().enumerate() {
        let mut last = None;
        for shared in one.gather.wanted.iter().filter_map(|want| Shared::of(&want.wanted)) {
            // Most keys of a fetch are of one loader.
            if last.as_ref() == Some(&shared) {
                continue;
            }
            let earlier = *first.entry(shared).or_insert(index);
            let (from, to) = (group_of.get(index).copied(), group_of.get(earlier).copied());
            if let (Some(from), Some(to)) = (from, to)
                && from != to
            {
                group_of.iter_mut().filter(|group| **group == from).for_each(|group| *group = to);
            }
            last = Some(shared);
        }
    }
    let mut groups: IndexMap<usize, Vec<Asked<'_>>> = IndexMap::new();
    for (one, group) in asked.into_iter().zip(group_of) {
        groups.entry(group).or_default().push(one);
    }
    groups.into_values().collect()
}

/// What two fetches may have in common.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Shared<'a> {
    Loader(LoaderId),
    Call(&'a crate::template::Request),
}

impl<'a> Shared<'a> {
    fn of(wanted: &'a Wanted) -> Option<Self> {
        match wanted {
            Wanted::Row(loader, _) => Some(Self::Loader(*loader)),
            Wanted::Call(request) => Some(Self::Call(request)),
            Wanted::Refused(_) => None,
        }
    }
}
