//! A value that remembers where it was written, for checks that need more than the value.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

use crate::config::substitute::Origin;

/// The name by which the deserializer knows that a place is asked for.
pub(super) const LOCATED: &str = "$onedoor::Located";

/// A setting's value and its place; a default has none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Located<T> {
    pub(crate) value: T,
    pub(crate) place: Option<Place>,
}

/// Where a value stands in its file, and where its text came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) span: Range<usize>,
    pub(crate) origin: Origin,
}

impl<T> Located<T> {
    /// A value that no file holds.
    pub(crate) const fn by_default(value: T) -> Self {
        Self { value, place: None }
    }

    /// The bytes of the value; empty for a default.
    pub(crate) fn span(&self) -> Range<usize> {
        self.place.as_ref().map_or(0..0, |place| place.span.clone())
    }
}

/// Where the content of a string literal begins in the file, if it stands there just as it is:
/// offsets into the value are then offsets into the file.
pub(crate) fn verbatim_start(file: &str, span: Range<usize>, value: &str) -> Option<usize> {
    let literal = file.get(span.clone())?;
    let quotes = if literal.starts_with("\"\"\"") || literal.starts_with("'''") { 3 } else { 1 };
    let inner = literal.get(quotes..literal.len().checked_sub(quotes)?)?;
    // A line end right after the opening quotes is not part of the value (TOML 1.0, String).
    let trimmed = match quotes {
        3 => inner.strip_prefix("\r\n").or_else(|| inner.strip_prefix('\n')).unwrap_or(inner),
        _ => inner,
    };
    (trimmed == value).then_some(span.start + quotes + inner.len() - trimmed.len())
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Located<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_tuple_struct(LOCATED, 4, LocatedVisitor(PhantomData))
    }
}

struct LocatedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for LocatedVisitor<T> {
    type Value = Located<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value of a settings file")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Located<T>, A::Error> {
        let mut number = |n| -> Result<u64, A::Error> {
            parts.next_element()?.ok_or_else(|| de::Error::invalid_length(n, &"a place"))
        };
        let (start, end, origin) = (number(0)?, number(1)?, number(2)?);
        let value = parts.next_element()?.ok_or_else(|| de::Error::invalid_length(3, &self))?;
        let place = Place { span: start as usize..end as usize, origin: from_code(origin) };
        Ok(Located { value, place: Some(place) })
    }
}

/// Origins as the number that passes through serde.
pub(super) fn code(origin: Origin) -> u64 {
    match origin {
        Origin::Written => 0,
        Origin::Environment => 1,
        Origin::Default => 2,
    }
}

fn from_code(code: u64) -> Origin {
    match code {
        1 => Origin::Environment,
        2 => Origin::Default,
        _ => Origin::Written,
    }
}

impl<T: Serialize> Serialize for Located<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value.serialize(serializer)
    }
}

impl<T: JsonSchema> JsonSchema for Located<T> {
    fn inline_schema() -> bool {
        T::inline_schema()
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        T::schema_id()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}
