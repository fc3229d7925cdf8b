//! What a client has of a response that comes in pieces, at one place of it. Nothing may be added
//! below a null that was sent (specification section 6.4.4: it stands for all below it), and what
//! one part has brought another does not bring again.

use std::collections::HashMap;
use std::sync::Arc;

use super::places::{Places, Step};
use super::ran::Ran;
use crate::json::Value;
use crate::plan::PartId;

/// What was sent: portions, and where of each all that lies there was.
#[derive(Default)]
pub(super) struct Delivered(HashMap<Option<PartId>, (Arc<Ran>, Places<()>)>);

impl Delivered {
    /// The first response was sent.
    pub(super) fn all_of(&mut self, first: Arc<Ran>) {
        self.0.insert(None, (first, Places::at_root(())));
    }

    /// A part was sent that belongs here, too.
    pub(super) fn at(&mut self, path: &[Step], part: PartId, ran: &Arc<Ran>) {
        let new = || (Arc::clone(ran), Places::default());
        let (_, places) = self.0.entry(Some(part)).or_insert_with(new);
        places.put(path, ());
    }

    /// What the client has at the root.
    pub(super) fn root(&self) -> Sent<'_> {
        let portions = self.0.values().filter_map(|(ran, places)| {
            Some(Portion { value: ran.root()?, reach: Reach::of(places) })
        });
        Sent(portions.collect())
    }
}

/// What a client has at one place.
#[derive(Clone, Default)]
pub(super) struct Sent<'r>(Vec<Portion<'r>>);

/// What a portion has at one place.
#[derive(Clone, Copy)]
struct Portion<'r> {
    value: Value<'r>,
    reach: Reach<'r>,
}

/// How much of a portion's value was sent.
#[derive(Clone, Copy)]
enum Reach<'r> {
    /// All of it.
    All,
    /// What lies at these places.
    At(&'r Places<()>),
}

impl<'r> Reach<'r> {
    fn of(places: &'r Places<()>) -> Self {
        if places.here().is_some() { Self::All } else { Self::At(places) }
    }

    fn below(self, step: &Step) -> Option<Self> {
        match self {
            Self::All => Some(self),
            Self::At(places) => places.below(step).map(Self::of),
        }
    }
}

impl<'r> Sent<'r> {
    /// The values that were sent.
    fn values(&self) -> impl Iterator<Item = Value<'r>> {
        let sent = self.0.iter().filter(|portion| matches!(portion.reach, Reach::All));
        sent.map(|portion| portion.value)
    }

    /// Whether the client has null here.
    pub(super) fn is_null(&self) -> bool {
        self.values().any(|value| value.is_null())
    }

    /// Whether the client has this field of the object.
    pub(super) fn has(&self, key: &str) -> bool {
        self.values().any(|value| value.get(key).is_some())
    }

    /// What it has under a key of this place. A null that only leads on was not sent.
    pub(super) fn member(&self, key: &str) -> Self {
        if self.0.is_empty() {
            return Self::default();
        }
        let (leading, step) = (format!("@{key}"), Step::Key(key.into()));
        let below = self.0.iter().flat_map(|portion| {
            let led = portion.value.get(&leading).filter(|it| !it.is_null());
            let values = portion.value.get(key).into_iter().chain(led);
            let reach = portion.reach.below(&step);
            values.filter_map(move |value| Some(Portion { value, reach: reach? }))
        });
        Self(below.collect())
    }

    /// What it has as each item of this place in turn, without an end.
    pub(super) fn items(&self) -> impl Iterator<Item = Self> + use<'r> {
        let mut lists: Vec<_> =
            self.0.iter().map(|portion| (portion.value.items(), portion.reach)).collect();
        (0u32..).map(move |index| {
            let item = |(items, reach): &mut (_, Reach<'r>)| {
                let value = Iterator::next(items)?;
                Some(Portion { value, reach: reach.below(&Step::Index(index))? })
            };
            Self(lists.iter_mut().filter_map(item).collect())
        })
    }
}
