//! A value of a checked body, as a place in its text.
//!
//! Reading trusts the check and cannot fail. The check has marked where each value begins and ends,
//! so nothing is passed over byte by byte.

use std::borrow::Cow;
use std::fmt;
use std::num::NonZeroU32;

use super::scan::byte;
use super::validate::Mark;
use super::{Body, Foreseen, Place, RawString, Span};

/// One whole value of a [`Body`]. Two words; costs nothing to copy.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    body: &'a Body,
    /// The index of its mark.
    mark: u32,
}

/// The six kinds of value.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean,
    /// A number of any size and precision.
    Number,
    /// A string.
    String,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl<'a> Value<'a> {
    #[inline(always)]
    pub(super) fn new(body: &'a Body, mark: u32) -> Value<'a> {
        Value { body, mark }
    }

    /// The body this is a part of.
    pub fn body(self) -> &'a Body {
        self.body
    }

    /// The kind of value; the first byte tells.
    #[inline]
    pub fn kind(self) -> Kind {
        Kind::of(self.first())
    }

    /// The value's text, without white space around it.
    #[inline]
    pub fn raw(self) -> &'a [u8] {
        self.body.bytes.get(self.span().range()).unwrap_or_default()
    }

    /// Which of its body's values this is: [`Body::at`] leads back here.
    #[inline]
    pub fn place(self) -> Place {
        Place(NonZeroU32::MIN.saturating_add(self.mark))
    }

    /// Where the value lies in its body's bytes.
    #[inline]
    pub fn span(self) -> Span {
        let mark = self.body.mark(self.mark);
        let end = if is_open(byte(&self.body.bytes, mark.start as usize)) {
            self.body.mark(mark.end.wrapping_sub(1)).start
        } else {
            mark.end
        };
        Span { start: mark.start, end }
    }

    #[inline(always)]
    fn first(self) -> u8 {
        byte(&self.body.bytes, self.body.mark(self.mark).start as usize)
    }

    /// What is marked within a container that opens with this byte; nothing for any other value.
    #[inline(always)]
    fn within(self, open: u8) -> Within<'a> {
        let Mark { start, end } = self.body.mark(self.mark);
        let first = self.mark + 1;
        let marks = match byte(&self.body.bytes, start as usize) == open {
            true => self.body.marks().get(first as usize..end.saturating_sub(1) as usize),
            false => None,
        };
        Within { body: self.body, first, marks: marks.unwrap_or_default() }
    }

    /// Whether the value is `null`.
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The value of a Boolean.
    pub fn as_bool(self) -> Option<bool> {
        match self.first() {
            b't' => Some(true),
            b'f' => Some(false),
            _ => None,
        }
    }

    /// A string's text with its escapes resolved; borrowed where it has none.
    pub fn as_str(self) -> Option<Cow<'a, str>> {
        self.as_raw_string().map(RawString::unescape)
    }

    /// A string as it is written.
    pub fn as_raw_string(self) -> Option<RawString<'a>> {
        let raw = self.raw();
        let inner = raw.get(1..raw.len().saturating_sub(1));
        (self.kind() == Kind::String).then(|| RawString::new(inner.unwrap_or_default()))
    }

    /// A number as it is written.
    pub fn as_number(self) -> Option<&'a str> {
        if self.kind() != Kind::Number {
            return None;
        }
        std::str::from_utf8(self.raw()).ok()
    }

    /// The properties of an object in the order in which they are written, duplicates too; none
    /// for any other value.
    #[inline]
    pub fn members(self) -> Members<'a> {
        Members(self.within(b'{'))
    }

    /// The items of an array; none for any other value.
    #[inline]
    pub fn items(self) -> Items<'a> {
        Items(self.within(b'['))
    }

    /// The property of this name; of duplicates the last. Names are compared unescaped.
    pub fn get(self, name: &str) -> Option<Value<'a>> {
        if self.body.checked.has_escaped_names {
            return self.members().filter(|(key, _)| *key == name).last().map(|(_, value)| value);
        }
        let mut found = None;
        let mut within = self.within(b'{');
        while let [Mark { start, end }, value, ..] = within.marks {
            // With its two quotes.
            let is_as_long = end.saturating_sub(*start) as usize == name.len() + 2;
            let is_it = is_as_long && {
                let start = *start as usize + 1;
                within.text().get(start..start + name.len()) == Some(name.as_bytes())
            };
            let value = within.pass(1, *value);
            if is_it {
                found = Some(value);
            }
        }
        found
    }
}

impl Kind {
    /// The kind of the value that begins with this byte.
    #[inline(always)]
    pub(crate) fn of(first: u8) -> Kind {
        match first {
            b'"' => Kind::String,
            b'{' => Kind::Object,
            b'[' => Kind::Array,
            b't' | b'f' => Kind::Boolean,
            b'n' => Kind::Null,
            _ => Kind::Number,
        }
    }

    /// What a message calls it, with its article.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Boolean => "a Boolean",
            Kind::Number => "a number",
            Kind::String => "a string",
            Kind::Array => "an array",
            Kind::Object => "an object",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whether a value that begins with this byte is a container.
#[inline(always)]
fn is_open(first: u8) -> bool {
    matches!(first, b'{' | b'[')
}

/// The marks of a container's values and names, as many as are left.
#[derive(Clone)]
struct Within<'a> {
    body: &'a Body,
    /// The index of the first one.
    first: u32,
    marks: &'a [Mark],
}

impl<'a> Within<'a> {
    #[inline(always)]
    fn text(&self) -> &'a [u8] {
        &self.body.bytes
    }

    /// Passes over a name, if there is one before this value, and the value with all it holds.
    #[inline(always)]
    fn pass(&mut self, names: u32, value: Mark) -> Value<'a> {
        let mark = self.first + names;
        let is_open = is_open(byte(self.text(), value.start as usize));
        let next = if is_open { value.end } else { mark + 1 };
        let passed = next.saturating_sub(self.first) as usize;
        (self.first, self.marks) = (next, self.marks.get(passed..).unwrap_or_default());
        Value::new(self.body, mark)
    }
}

/// The properties of an object; see [`Value::members`].
#[derive(Clone)]
pub struct Members<'a>(Within<'a>);

impl<'a> Members<'a> {
    /// The value of the next property if that bears this very name; else goes nowhere.
    ///
    /// Rows of a list mostly name the same properties in the same order. Where the name is
    /// foreseen, it need not be looked up.
    #[inline]
    pub fn next_is(&mut self, foreseen: &Foreseen) -> Option<Value<'a>> {
        let [name, value, ..] = self.0.marks else { return None };
        let is_foreseen = foreseen.begins(self.0.text(), name.start as usize + 1);
        is_foreseen.then(|| self.0.pass(1, *value))
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (RawString<'a>, Value<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let [name, value, ..] = self.0.marks else { return None };
        let text = name.start as usize + 1..(name.end as usize).saturating_sub(1);
        let name = RawString::new(self.0.text().get(text).unwrap_or_default());
        Some((name, self.0.pass(1, *value)))
    }
}

/// The items of an array; see [`Value::items`].
#[derive(Clone)]
pub struct Items<'a>(Within<'a>);

impl<'a> Iterator for Items<'a> {
    type Item = Value<'a>;

    #[inline]
    fn next(&mut self) -> Option<Value<'a>> {
        let [value, ..] = self.0.marks else { return None };
        Some(self.0.pass(0, *value))
    }
}

/// Shows where, not what: bodies may hold secrets.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.kind(), self.span().start)
    }
}
