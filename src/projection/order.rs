//! Walking objects that are alike: those of a list mostly have the same properties in the same
//! order, so the next name is tried before it is read and looked up.

use crate::json::{Foreseen, Place, RawString, Value};
use crate::plan::Selection;

/// The names of an object that was walked before, each with the number it was found under.
#[derive(Debug, Default)]
pub(super) struct Order(Vec<(Foreseen, Option<u32>)>);

impl Order {
    /// Tells of each property of an object that `find` gives a number for; of any other value
    /// nothing.
    #[inline]
    pub(super) fn walk<'a>(
        &mut self,
        object: Value<'a>,
        find: impl Fn(RawString<'a>) -> Option<u32>,
        mut tell: impl FnMut(u32, Value<'a>),
    ) {
        let is_first = self.0.is_empty();
        let mut next = 0;
        let mut members = object.members();
        loop {
            let foreseen = if is_first { None } else { self.0.get(next) };
            let foreseen = foreseen
                .and_then(|(name, number)| members.next_is(name).map(|value| (*number, value)));
            let (number, value) = match foreseen {
                Some(found) => {
                    next += 1;
                    found
                }
                None => {
                    let Some((name, value)) = members.next() else { return };
                    let number = find(name);
                    if is_first {
                        self.0.push((Foreseen::new(name), number));
                    } else {
                        next = self.after(next, number);
                    }
                    (number, value)
                }
            };
            if let Some(number) = number {
                tell(number, value);
            }
        }
    }

    /// Where to go on after a name that came instead of the one at `next`.
    fn after(&self, next: usize, number: Option<u32>) -> usize {
        let rest = self.0.get(next..).unwrap_or_default();
        let same = rest.iter().position(|(_, known)| *known == number);
        same.map_or(next, |skipped| next + skipped + 1)
    }
}

/// How the objects that a fetch's answers hold are laid out, by what is selected of them. Whoever
/// projects one answer after another hands on the same.
#[derive(Debug, Default)]
pub struct Layouts<'p> {
    orders: Vec<(&'p Selection, Order)>,
    /// Where the wanted properties of the objects around the next byte lie, each object's after
    /// those of the one around it.
    seen: Vec<Option<Place>>,
}

/// An object whose wanted properties have been noted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen(usize);

impl<'p> Layouts<'p> {
    /// Notes where the properties of an object lie that the selection looks out for; of duplicates
    /// the last. What is learned of the first object serves those after it, so that a single one
    /// costs nothing more.
    #[inline]
    pub(super) fn note(&mut self, object: Value<'_>, selection: &'p Selection) -> Seen {
        let base = self.seen.len();
        self.seen.resize(base + selection.names().len(), None);
        let Some(seen) = self.seen.get_mut(base..) else { return Seen(base) };
        let mut tell = |number: u32, value: Value<'_>| {
            if let Some(seen) = seen.get_mut(number as usize) {
                *seen = Some(value.place());
            }
        };
        let find = |name| selection.names().find(name);
        match self.orders.iter_mut().find(|(known, _)| std::ptr::eq(*known, selection)) {
            Some((_, order)) => order.walk(object, find, tell),
            None => {
                self.orders.push((selection, Order::default()));
                for (name, value) in object.members() {
                    if let Some(number) = find(name) {
                        tell(number, value);
                    }
                }
            }
        }
        Seen(base)
    }

    /// Where a property of an object lies that was noted last, or around that.
    #[inline]
    pub(super) fn seen(&self, Seen(base): Seen, name: u32) -> Option<Place> {
        *self.seen.get(base + name as usize)?
    }

    /// Forgets an object, and those within it.
    #[inline]
    pub(super) fn forget(&mut self, Seen(base): Seen) {
        self.seen.truncate(base);
    }
}
