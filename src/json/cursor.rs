//! One pass over a checked body: at each value it is skipped, read or entered, and where it ended
//! is known from that.
//!
//! A cursor stands at a value's first byte, or just after a value it has passed. The cursor of an
//! object or array borrows the cursor it was made from, moves it, and leaves it after the close.

use super::scan::{byte, quote_or_bracket, quote_or_escape, token, token_end};
use super::string::Foreseen;
use super::{Body, Kind, RawString, Span, Value};

/// A position in a body's text, and the first noted container that begins there or later.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) at: u32,
    pub(super) mark: u32,
}

/// Stands at a value, or after one that it has passed.
#[derive(Clone)]
pub struct Cursor<'a> {
    body: &'a Body,
    at: usize,
    mark: usize,
}

impl<'a> Cursor<'a> {
    #[inline(always)]
    pub(super) fn at(value: Value<'a>) -> Cursor<'a> {
        let Place { at, mark } = value.place();
        Cursor { body: value.body(), at: at as usize, mark: mark as usize }
    }

    /// How far into the body's bytes the cursor is.
    #[inline]
    pub fn position(&self) -> u32 {
        self.at as u32
    }

    /// The value it stands at.
    #[inline]
    pub fn value(&self) -> Value<'a> {
        Value::new(self.body, self.at as u32, self.mark as u32)
    }

    /// The kind of the value it stands at.
    #[inline]
    pub fn kind(&self) -> Kind {
        Kind::of(byte(self.text(), self.at))
    }

    /// Passes over the value and returns its text.
    #[inline]
    pub fn skip(&mut self) -> &'a [u8] {
        let start = self.at;
        match byte(self.text(), start) {
            b'"' => self.at = string_end(self.text(), start + 1),
            b'{' | b'[' => {
                if !self.skip_known() {
                    self.at = close(self.text(), start + 1);
                }
            }
            _ => self.at = token_end(self.text(), start),
        }
        self.text().get(start..self.at).unwrap_or_default()
    }

    /// Goes to just after a value of the same body, from wherever it stands: out of containers that
    /// were passed in part, too.
    #[inline]
    pub fn pass(&mut self, value: Value<'a>) {
        *self = value.cursor();
        self.skip();
    }

    /// Passes over a string. Of a value that is no string nothing is read but passed over.
    #[inline]
    pub fn read_string(&mut self) -> RawString<'a> {
        if byte(self.text(), self.at) != b'"' {
            self.skip();
            return RawString::new(&[], false);
        }
        self.quoted()
    }

    /// Enters an object; `None` for any other value, and the cursor stays.
    #[inline]
    pub fn object(&mut self) -> Option<ObjectCursor<'_, 'a>> {
        if byte(self.text(), self.at) != b'{' {
            return None;
        }
        let start = self.value();
        self.enter();
        Some(ObjectCursor { start, pending: usize::MAX, closed: false, cursor: self })
    }

    /// Enters an array; `None` for any other value, and the cursor stays.
    #[inline]
    pub fn array(&mut self) -> Option<ArrayCursor<'_, 'a>> {
        if byte(self.text(), self.at) != b'[' {
            return None;
        }
        let start = self.value();
        self.enter();
        Some(ArrayCursor { start, pending: usize::MAX, closed: false, cursor: self })
    }

    #[inline(always)]
    fn text(&self) -> &'a [u8] {
        &self.body.bytes
    }

    /// Steps over an opening bracket.
    #[inline(always)]
    pub(super) fn enter(&mut self) -> bool {
        if self.noted().is_some() {
            self.mark += 1;
        }
        self.at += 1;
        true
    }

    /// After an opening brace or a value: the next property's name, standing then at its value; or
    /// `None`, standing then after the closing brace.
    #[inline(always)]
    pub(super) fn next_name(&mut self) -> Option<RawString<'a>> {
        if self.next_token() != b'"' {
            self.at += 1;
            return None;
        }
        let name = self.quoted();
        let text = self.text();
        let (colon, _) = token(text, self.at);
        (self.at, _) = token(text, colon + 1);
        Some(name)
    }

    /// As `next_name`, if the name is as foreseen; else it stands still.
    #[inline(always)]
    fn next_name_is(&mut self, foreseen: &Foreseen) -> bool {
        let text = self.text();
        let (mut at, mut first) = token(text, self.at);
        if first == b',' {
            (at, first) = token(text, at + 1);
        }
        if first != b'"' || !foreseen.begins(text, at + 1) {
            return false;
        }
        let (colon, _) = token(text, at + 1 + foreseen.length);
        (self.at, _) = token(text, colon + 1);
        true
    }

    /// After an opening bracket or a value: whether it stands at a further item; if not, it stands
    /// after the closing bracket.
    #[inline(always)]
    pub(super) fn next_item(&mut self) -> bool {
        let more = !matches!(self.next_token(), b']' | b'}' | 0);
        self.at += usize::from(!more);
        more
    }

    /// Goes past a comma to what comes next, and returns its first byte.
    #[inline(always)]
    fn next_token(&mut self) -> u8 {
        let (mut at, mut first) = token(self.text(), self.at);
        if first == b',' {
            (at, first) = token(self.text(), at + 1);
        }
        self.at = at;
        first
    }

    /// A string, from its opening quote.
    #[inline(always)]
    fn quoted(&mut self) -> RawString<'a> {
        let (text, start) = (self.text(), self.at + 1);
        let mut end = quote_or_escape(text, start);
        let escaped = byte(text, end) == b'\\';
        if escaped {
            end = escaped_end(text, end).saturating_sub(1);
        }
        self.at = end + 1;
        RawString::new(text.get(start..end).unwrap_or_default(), escaped)
    }

    /// The entry of the container it stands at, if that is long enough to have one.
    #[inline(always)]
    fn noted(&self) -> Option<(usize, usize)> {
        let nested = self.body.nested().get(self.mark)?;
        (nested.start as usize == self.at).then_some((nested.end as usize, nested.next as usize))
    }

    /// Passes over the container it stands at if its end is known.
    #[inline(always)]
    fn skip_known(&mut self) -> bool {
        let known = self.noted().or_else(|| {
            let Span { start, end } = self.body.root;
            (start as usize == self.at).then(|| (end as usize, self.body.nested().len()))
        });
        if let Some(past) = known {
            (self.at, self.mark) = past;
        }
        known.is_some()
    }
}

/// After a string's opening quote: where the string ends.
#[inline(always)]
fn string_end(text: &[u8], at: usize) -> usize {
    let end = quote_or_escape(text, at);
    if byte(text, end) == b'\\' { escaped_end(text, end) } else { end + 1 }
}

/// At an escape in a string: where the string ends.
#[inline(never)]
fn escaped_end(text: &[u8], mut at: usize) -> usize {
    while byte(text, at) == b'\\' {
        at = quote_or_escape(text, at + 2);
    }
    at + 1
}

/// After an opening bracket: the position after the one that closes it. Kinds of brackets match in
/// a checked text, so counting is enough.
fn close(text: &[u8], mut at: usize) -> usize {
    let mut depth = 1_usize;
    loop {
        at = quote_or_bracket(text, at);
        match byte(text, at) {
            b'"' => at = string_end(text, at + 1),
            b'{' | b'[' => (at, depth) = (at + 1, depth + 1),
            b'}' | b']' => (at, depth) = (at + 1, depth - 1),
            _ => return text.len(),
        }
        if depth == 0 {
            return at;
        }
    }
}

/// Within an object: its properties in turn.
///
/// A property's value may be left alone, skipped, or passed with the cursor that
/// [`value`](ObjectCursor::value) lends, but not in part.
pub struct ObjectCursor<'c, 'a> {
    cursor: &'c mut Cursor<'a>,
    start: Value<'a>,
    /// Where a value begins that may not have been passed yet.
    pending: usize,
    closed: bool,
}

impl<'a> ObjectCursor<'_, 'a> {
    /// Goes to the next property, past the value of the one before if that was left alone, and
    /// returns its name. After the last one the object is passed.
    #[inline]
    pub fn next_key(&mut self) -> Option<RawString<'a>> {
        if self.closed {
            return None;
        }
        if self.cursor.at == self.pending {
            self.cursor.skip();
        }
        let name = self.cursor.next_name();
        self.pending = self.cursor.at;
        self.closed = name.is_none();
        name
    }

    /// Goes to the next property if it bears this very name, and says so; else goes nowhere.
    ///
    /// Rows of a list mostly name the same properties in the same order. Where the name is
    /// foreseen, its end need not be looked for.
    #[inline]
    pub fn next_is(&mut self, foreseen: &Foreseen) -> bool {
        if self.closed {
            return false;
        }
        if self.cursor.at == self.pending {
            self.cursor.skip();
        }
        let found = self.cursor.next_name_is(foreseen);
        self.pending = if found { self.cursor.at } else { usize::MAX };
        found
    }

    /// The cursor at the value of the property last named.
    #[inline]
    pub fn value(&mut self) -> &mut Cursor<'a> {
        self.cursor
    }

    /// Passes over whatever is left of the object.
    #[inline]
    pub fn finish(self) {
        if !self.closed {
            finish(self.cursor, self.start);
        }
    }
}

/// Within an array: its items in turn.
///
/// An item may be left alone, skipped, or passed with the cursor that
/// [`next_item`](ArrayCursor::next_item) lends, but not in part.
pub struct ArrayCursor<'c, 'a> {
    cursor: &'c mut Cursor<'a>,
    start: Value<'a>,
    pending: usize,
    closed: bool,
}

impl<'a> ArrayCursor<'_, 'a> {
    /// Goes to the next item, past the one before if that was left alone. After the last one the
    /// array is passed.
    #[inline]
    pub fn next_item(&mut self) -> Option<&mut Cursor<'a>> {
        if self.closed {
            return None;
        }
        if self.cursor.at == self.pending {
            self.cursor.skip();
        }
        self.closed = !self.cursor.next_item();
        self.pending = self.cursor.at;
        if self.closed { None } else { Some(self.cursor) }
    }

    /// Passes over whatever is left of the array.
    #[inline]
    pub fn finish(self) {
        if !self.closed {
            finish(self.cursor, self.start);
        }
    }
}

/// Leaves a container by its known end, or else by counting brackets onward from here.
#[inline(always)]
fn finish(cursor: &mut Cursor<'_>, start: Value<'_>) {
    let here = cursor.at;
    (cursor.at, cursor.mark) = (start.place().at as usize, start.place().mark as usize);
    if !cursor.skip_known() {
        cursor.at = close(cursor.text(), here);
    }
}
