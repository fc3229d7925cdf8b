//! Groups of rows by key. Keys are compared by their text; most of them stay where they lie in
//! the body.

use std::hash::{BuildHasher, RandomState};

use crate::json::{Body, Place, Span};

/// How many groups the first growth makes room for: the rows of a screen, mostly.
const FEW: usize = 16;

/// Groups by key, in the order of their first rows. Hashed with a secret of their own, since
/// upstreams' users may choose keys.
#[derive(Debug, Default)]
pub(super) struct Keys {
    groups: Vec<Group>,
    /// For each hash, cut to this length: one more than a group's index; 0: none. A power of two,
    /// at most half full, searched onward from there.
    slots: Vec<u32>,
    hasher: RandomState,
}

/// The rows of one key.
#[derive(Debug)]
pub(super) struct Group {
    hash: u64,
    key: Text,
    /// First and last of its rows.
    pub(super) rows: Option<(u32, u32)>,
    /// A row that reports a failure, which is then the key's.
    pub(super) failed: Option<Place>,
}

/// A key's text.
#[derive(Debug)]
pub(super) enum Text {
    /// As it stands in the body.
    InBody(Span),
    /// A string whose escapes have been resolved.
    Unescaped(Box<str>),
}

impl Text {
    fn bytes<'t>(&'t self, body: &'t Body) -> &'t [u8] {
        match self {
            Self::InBody(span) => body.bytes().get(span.range()).unwrap_or_default(),
            Self::Unescaped(text) => text.as_bytes(),
        }
    }
}

impl Keys {
    /// The group of a key.
    pub(super) fn find(&self, body: &Body, key: &[u8]) -> Option<&Group> {
        self.groups.get(self.search(body, key, self.hasher.hash_one(key)).ok()?)
    }

    /// The group of a key, made if there is none.
    pub(super) fn group(&mut self, body: &Body, key: Text) -> Option<&mut Group> {
        // Rows of one key mostly follow each other.
        let last = self.groups.len().saturating_sub(1);
        if self.groups.get(last).is_some_and(|last| last.key.bytes(body) == key.bytes(body)) {
            return self.groups.get_mut(last);
        }
        if self.groups.len() * 2 >= self.slots.len() {
            self.grow();
            self.groups.reserve_exact(self.slots.len() / 2 - self.groups.len());
        }
        let hash = self.hasher.hash_one(key.bytes(body));
        let index = match self.search(body, key.bytes(body), hash) {
            Ok(index) => index,
            Err(slot) => {
                self.groups.push(Group { hash, key, rows: None, failed: None });
                *self.slots.get_mut(slot)? = u32::try_from(self.groups.len()).ok()?;
                self.groups.len() - 1
            }
        };
        self.groups.get_mut(index)
    }

    /// The group of a key, or the slot that is free for it.
    fn search(&self, body: &Body, key: &[u8], hash: u64) -> Result<usize, usize> {
        let mut slot = self.slot(hash);
        while let Some(&taken) = self.slots.get(slot).filter(|taken| **taken > 0) {
            let index = taken as usize - 1;
            let known = self.groups.get(index);
            if known.is_some_and(|known| known.hash == hash && known.key.bytes(body) == key) {
                return Ok(index);
            }
            slot = (slot + 1) & (self.slots.len() - 1);
        }
        Err(slot)
    }

    fn slot(&self, hash: u64) -> usize {
        hash as usize & self.slots.len().saturating_sub(1)
    }

    fn grow(&mut self) {
        let len = (self.slots.len() * 2).max(FEW * 2);
        self.slots = vec![0; len];
        for (number, group) in (1..).zip(&self.groups) {
            let mut slot = group.hash as usize & (len - 1);
            while self.slots.get(slot).is_some_and(|taken| *taken > 0) {
                slot = (slot + 1) & (len - 1);
            }
            if let Some(free) = self.slots.get_mut(slot) {
                *free = number;
            }
        }
    }
}
