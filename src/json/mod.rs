//! JSON bodies as bytes: checked whole once, then read in place, without a tree.
//!
//! [`Body::parse`] checks a text against the full grammar of RFC 8259; a [`Body`] is the proof.
//! Whatever reads one afterwards trusts it: a [`Value`] is a place in the text whose end is known,
//! a [`Path`] tells where in a value another one lies.
//!
//! Knows nothing of GraphQL, HTTP or where a body came from.
//!
//! ```
//! use onedoor::json::{Body, Path};
//!
//! let body = Body::parse(r#"{"user": {"name": "Ada", "tags": ["a", "b"]}}"#.into())?;
//! let user = body.root().get("user").ok_or("no user")?;
//! assert_eq!(user.get("name").and_then(|name| name.as_str()).as_deref(), Some("Ada"));
//! let last = Path::parse("tags[-1]")?.eval(user).ok_or("no tag")?;
//! assert_eq!(last.raw(), b"\"b\"");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod number;
mod path;
mod scan;
mod string;
mod validate;
mod value;

#[cfg(test)]
mod oracle;
#[cfg(test)]
mod tests;

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use bytes::Bytes;

pub use path::{Matches, Path, PathError, Segment};
pub use string::{Foreseen, RawString, write_string};
pub use validate::{Invalid, MAX_DEPTH, Reason};
pub use value::{Items, Kind, Members, Value};

use validate::{Checked, Mark};

/// A text that is one JSON value, checked whole. Cheap to clone.
///
/// Grammar (RFC 8259), UTF-8, paired surrogates in escapes and a nesting of at most [`MAX_DEPTH`]
/// are certain; that names within an object are unique is not (the last of equal ones counts).
#[derive(Clone)]
pub struct Body {
    bytes: Bytes,
    checked: Arc<Checked>,
}

/// Which of a body's values one is: the way back to it for who keeps the body. Four bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Place(NonZeroU32);

/// Where a value lies in its body's bytes, without white space around it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Span {
    /// The value's first byte.
    pub start: u32,
    /// The byte after its last one.
    pub end: u32,
}

impl Body {
    /// Checks a whole text.
    ///
    /// # Errors
    /// Where and why the text is not one JSON value, with nothing of its content.
    pub fn parse(bytes: Bytes) -> Result<Body, Invalid> {
        let checked = Arc::new(validate::validate(&bytes)?);
        Ok(Body { bytes, checked })
    }

    /// The body `null`.
    pub fn null() -> Body {
        Body::of("null", vec![Mark { start: 0, end: 4 }])
    }

    /// The body `{}`.
    pub fn empty_object() -> Body {
        Body::of("{}", vec![Mark { start: 0, end: 2 }, Mark { start: 2, end: 0 }])
    }

    fn of(text: &'static str, marks: Vec<Mark>) -> Body {
        let checked = Arc::new(Checked { marks, has_escaped_names: false });
        Body { bytes: Bytes::from_static(text.as_bytes()), checked }
    }

    /// The whole value.
    pub fn root(&self) -> Value<'_> {
        Value::new(self, 0)
    }

    /// The text as it came, with the white space around the value.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The value at a place that [`Value::place`] gave for a value of this body. With the place of
    /// another body's value it is arbitrary.
    #[inline]
    pub fn at(&self, place: Place) -> Value<'_> {
        Value::new(self, place.0.get() - 1)
    }

    /// Whether the two are clones of one body.
    pub fn is(&self, other: &Body) -> bool {
        Arc::ptr_eq(&self.checked, &other.checked)
    }

    /// The mark at an index; past the last one a mark of nothing.
    #[inline(always)]
    fn mark(&self, index: u32) -> Mark {
        self.marks().get(index as usize).copied().unwrap_or_default()
    }

    #[inline(always)]
    fn marks(&self) -> &[Mark] {
        &self.checked.marks
    }
}

impl Span {
    /// The number of bytes.
    pub fn len(self) -> usize {
        self.end.saturating_sub(self.start) as usize
    }

    /// Whether there are no bytes: never so for the span of a value.
    pub fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// As a range of indices.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// Bodies may hold secrets: only the length is shown.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("bytes", &self.bytes.len()).finish_non_exhaustive()
    }
}
