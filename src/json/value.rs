//! A value of a checked body, as a place in its text.
//!
//! Reading trusts the check and cannot fail. Where a value ends is found only when it is asked for.

use std::borrow::Cow;
use std::fmt;

use super::cursor::{Cursor, Place};
use super::scan::byte;
use super::{Body, RawString, Span};

/// One whole value of a [`Body`]. Two words; costs nothing to copy.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    body: &'a Body,
    place: Place,
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
    pub(super) fn new(body: &'a Body, at: u32, mark: u32) -> Value<'a> {
        Value { body, place: Place { at, mark } }
    }

    #[inline(always)]
    pub(super) fn place(self) -> Place {
        self.place
    }

    /// The body this is a part of.
    pub fn body(self) -> &'a Body {
        self.body
    }

    /// The kind of value; the first byte tells.
    #[inline]
    pub fn kind(self) -> Kind {
        Kind::of(byte(&self.body.bytes, self.place.at as usize))
    }

    /// A cursor that stands at this value.
    #[inline]
    pub fn cursor(self) -> Cursor<'a> {
        Cursor::at(self)
    }

    /// The value's text, without white space around it.
    #[inline]
    pub fn raw(self) -> &'a [u8] {
        self.cursor().skip()
    }

    /// Where the value lies in its body.
    pub fn span(self) -> Span {
        let mut cursor = self.cursor();
        cursor.skip();
        Span { start: self.place.at, end: cursor.position() }
    }

    /// Whether the value is `null`.
    pub fn is_null(self) -> bool {
        self.kind() == Kind::Null
    }

    /// The value of a Boolean.
    pub fn as_bool(self) -> Option<bool> {
        match byte(&self.body.bytes, self.place.at as usize) {
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
        (self.kind() == Kind::String).then(|| self.cursor().read_string())
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
    pub fn members(self) -> Members<'a> {
        let mut cursor = self.cursor();
        let open = self.kind() == Kind::Object && cursor.enter();
        Members { cursor, open }
    }

    /// The items of an array; none for any other value.
    pub fn items(self) -> Items<'a> {
        let mut cursor = self.cursor();
        let open = self.kind() == Kind::Array && cursor.enter();
        Items { cursor, open }
    }

    /// The property of this name; of duplicates the last. Names are compared unescaped.
    pub fn get(self, name: &str) -> Option<Value<'a>> {
        self.members().filter(|(key, _)| *key == name).last().map(|(_, value)| value)
    }
}

impl Kind {
    /// The kind of the value that begins with this byte.
    #[inline(always)]
    pub(super) fn of(first: u8) -> Kind {
        match first {
            b'"' => Kind::String,
            b'{' => Kind::Object,
            b'[' => Kind::Array,
            b't' | b'f' => Kind::Boolean,
            b'n' => Kind::Null,
            _ => Kind::Number,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Null => "null",
            Kind::Boolean => "a Boolean",
            Kind::Number => "a number",
            Kind::String => "a string",
            Kind::Array => "an array",
            Kind::Object => "an object",
        })
    }
}

/// The properties of an object; see [`Value::members`].
#[derive(Clone)]
pub struct Members<'a> {
    cursor: Cursor<'a>,
    open: bool,
}

impl<'a> Iterator for Members<'a> {
    type Item = (RawString<'a>, Value<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if !self.open {
            return None;
        }
        match self.cursor.next_name() {
            Some(name) => {
                let value = self.cursor.value();
                self.cursor.skip();
                Some((name, value))
            }
            None => {
                self.open = false;
                None
            }
        }
    }
}

/// The items of an array; see [`Value::items`].
#[derive(Clone)]
pub struct Items<'a> {
    cursor: Cursor<'a>,
    open: bool,
}

impl<'a> Iterator for Items<'a> {
    type Item = Value<'a>;

    #[inline]
    fn next(&mut self) -> Option<Value<'a>> {
        if !self.open {
            return None;
        }
        self.open = self.cursor.next_item();
        self.open.then(|| {
            let value = self.cursor.value();
            self.cursor.skip();
            value
        })
    }
}

/// Shows where, not what: bodies may hold secrets.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.kind(), self.place.at)
    }
}
