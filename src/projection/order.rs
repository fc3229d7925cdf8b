//! Walking objects that are alike: those of a list mostly have the same properties in the same
//! order, so the next name is tried before it is read and looked up.

use crate::json::{Cursor, Foreseen, RawString, Span, Value};

/// The names of an object that was walked before, each with the number it was found under.
#[derive(Debug, Default)]
pub(super) struct Order(Vec<(Foreseen, Option<u32>)>);

impl Order {
    /// Passes over the object the cursor stands at, and tells of each property that `find` gives
    /// a number for. Passes over any other value.
    #[inline]
    pub(super) fn walk<'a>(
        &mut self,
        cursor: &mut Cursor<'a>,
        find: impl Fn(RawString<'a>) -> Option<u32>,
        mut tell: impl FnMut(u32, Value<'a>, Span),
    ) {
        let is_first = self.0.is_empty();
        let mut next = 0;
        let Some(mut properties) = cursor.object() else {
            cursor.skip();
            return;
        };
        loop {
            let number = match self.0.get(next) {
                Some((name, number)) if !is_first && properties.next_is(name) => {
                    next += 1;
                    *number
                }
                _ => {
                    let Some(name) = properties.next_key() else { return };
                    let number = find(name);
                    if is_first {
                        self.0.push((Foreseen::new(name), number));
                    } else {
                        next = self.after(next, number);
                    }
                    number
                }
            };
            if let Some(number) = number {
                told(properties.value(), number, &mut tell);
            }
        }
    }

    /// Passes over an object without learning from it.
    #[inline]
    pub(super) fn unlearned<'a>(
        cursor: &mut Cursor<'a>,
        find: impl Fn(RawString<'a>) -> Option<u32>,
        mut tell: impl FnMut(u32, Value<'a>, Span),
    ) {
        let Some(mut properties) = cursor.object() else {
            cursor.skip();
            return;
        };
        while let Some(name) = properties.next_key() {
            if let Some(number) = find(name) {
                told(properties.value(), number, &mut tell);
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

#[inline]
fn told<'a>(cursor: &mut Cursor<'a>, number: u32, tell: &mut impl FnMut(u32, Value<'a>, Span)) {
    let (value, start) = (cursor.value(), cursor.position());
    cursor.skip();
    tell(number, value, Span { start, end: cursor.position() });
}
