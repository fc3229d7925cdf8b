//! What becomes of every slot once its holes are filled. A hole that may not be null and has
//! failed nulls the nullable value around it, or its whole slot; then whoever waits for that slot
//! has failed in turn.

use crate::plan::{FetchId, Hole, ItemNullable};

use super::{HoleAt, Outcome, Scope, Slot, Tables, Target};

/// Every slot of every fetch, with its holes filled.
pub(super) struct Settlement<'t, 'p> {
    tables: &'t Tables<'p>,
    settled: Vec<Vec<Settled>>,
}

/// What became of a slot.
#[derive(Debug)]
pub(super) enum Settled {
    /// A value; `nulled` are its nullable values that became null, in order and apart.
    Value { nulled: Vec<Nulled>, size: usize },
    /// Null, or nothing was there.
    Null,
    /// The upstream has no such thing.
    Missing,
    /// Null propagated through the whole value: from a hole, or while it was projected.
    Failed(Option<Cause>),
}

/// A nullable value within a slot that a hole's failure made null.
#[derive(Debug)]
pub(super) struct Nulled {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) cause: Cause,
}

/// The hole at fault, and the item of the list it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cause {
    pub(super) hole: u32,
    pub(super) item: Option<u32>,
}

/// A slot with what became of it.
#[derive(Clone, Copy)]
pub(super) struct Node<'t, 'p> {
    /// `None`: the root.
    pub(super) fetch: Option<FetchId>,
    pub(super) slot: &'t Slot<'p>,
    pub(super) settled: &'t Settled,
}

/// What became of a hole.
pub(super) enum Filled {
    /// A value of about so many bytes.
    Value(usize),
    /// Null, rightly.
    Null,
    /// A failure: of the whole, or of an item that may not be null.
    Failed(Option<u32>),
}

impl<'t, 'p> Settlement<'t, 'p> {
    /// Settles every slot. Fetches come before the fetches that fill their holes, so the last
    /// ones are settled first.
    pub(super) fn new(tables: &'t Tables<'p>) -> Self {
        let mut settled = Vec::new();
        settled.resize_with(tables.0.len(), Vec::new);
        let mut this = Self { tables, settled };
        for (fetch, slots) in tables.0.iter().enumerate().rev() {
            let id = u32::try_from(fetch).ok().map(FetchId);
            let outcomes = slots.iter().map(|slot| this.settle(id, slot)).collect();
            if let Some(settled) = this.settled.get_mut(fetch) {
                *settled = outcomes;
            }
        }
        this
    }

    /// What becomes of one slot whose holes' fetches are settled.
    pub(super) fn settle(&self, fetch: Option<FetchId>, slot: &Slot<'p>) -> Settled {
        match slot.fragment.outcome {
            Outcome::Value => {}
            Outcome::Null => return Settled::Null,
            Outcome::Missing => return Settled::Missing,
            Outcome::Failed(_) => return Settled::Failed(None),
        }
        let mut nulled: Vec<Nulled> = Vec::new();
        let mut size = slot.fragment.bytes.len();
        for (number, hole) in (0..).zip(&slot.fragment.holes) {
            if nulled.last().is_some_and(|nulled| hole.offset <= nulled.end) {
                continue;
            }
            let item = match self.filled(fetch, hole.hole, slot.targets.get(number as usize)) {
                Filled::Value(more) => {
                    size = size.saturating_add(more);
                    continue;
                }
                Filled::Null | Filled::Failed(_) if hole.hole.nullable => {
                    size = size.saturating_add(4);
                    continue;
                }
                Filled::Null => None,
                Filled::Failed(item) => item,
            };
            let cause = Cause { hole: number, item };
            let Some(&Scope { start, end, .. }) = scope(slot, hole) else {
                return Settled::Failed(Some(cause));
            };
            while nulled.pop_if(|inner| inner.start >= start).is_some() {}
            nulled.push(Nulled { start, end, cause });
        }
        Settled::Value { nulled, size }
    }

    /// What became of a hole of this fetch's slots.
    pub(super) fn filled(
        &self,
        fetch: Option<FetchId>,
        hole: &Hole,
        target: Option<&Target>,
    ) -> Filled {
        let items = match target {
            None | Some(Target::Failed(_)) => return Filled::Failed(None),
            Some(Target::Null) if hole.nullable => return Filled::Null,
            Some(Target::Null) => return Filled::Failed(None),
            Some(Target::Slot(slot)) => return self.value(fetch, hole, Some(*slot), hole.nullable),
            Some(Target::List(items)) => items,
        };
        let nullable = item_nullable(hole);
        let mut size = 2 + items.len();
        for (index, item) in (0..).zip(items) {
            size = size.saturating_add(match self.value(fetch, hole, *item, nullable) {
                Filled::Value(more) => more,
                Filled::Null => 4,
                Filled::Failed(_) if nullable => 4,
                Filled::Failed(_) => return Filled::Failed(Some(index)),
            });
        }
        Filled::Value(size)
    }

    fn value(
        &self,
        fetch: Option<FetchId>,
        hole: &Hole,
        slot: Option<u32>,
        nullable: bool,
    ) -> Filled {
        let settled = match slot {
            Some(slot) => self.child(fetch, hole, slot).map(|child| child.settled),
            None => Some(&Settled::Null),
        };
        match settled {
            Some(Settled::Value { size, .. }) => Filled::Value(*size),
            Some(Settled::Null | Settled::Missing) if nullable => Filled::Null,
            _ => Filled::Failed(None),
        }
    }

    /// The slot that fills a hole of this fetch's slots. Only a later fetch can.
    pub(super) fn child(
        &self,
        fetch: Option<FetchId>,
        hole: &Hole,
        slot: u32,
    ) -> Option<Node<'_, 'p>> {
        let later = fetch.is_none_or(|fetch| fetch < hole.fetch);
        let (table, slot) = (hole.fetch.0 as usize, slot as usize);
        later.then_some(Node {
            fetch: Some(hole.fetch),
            slot: self.tables.0.get(table)?.get(slot)?,
            settled: self.settled.get(table)?.get(slot)?,
        })
    }
}

/// Whether an item of the list that a hole stands for may be null.
fn item_nullable(hole: &Hole) -> bool {
    hole.list.is_none_or(|ItemNullable(nullable)| nullable)
}

fn scope<'t>(slot: &'t Slot<'_>, hole: &HoleAt<'_>) -> Option<&'t Scope> {
    slot.fragment.scopes.get(hole.scope? as usize)
}
