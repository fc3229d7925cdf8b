//! The parts of a document's value, handed to serde one after another. What goes wrong in one gets
//! its place and its path here, on the way out.

use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use toml::Spanned;
use toml::de::{DeString, DeValue};

use super::error::{Error, Step};
use super::located::code;
use super::node::Node;
use crate::config::substitute::Origin;

/// A table's entries, one after another.
pub(super) struct Entries<'a> {
    table: Node<'a>,
    rest: std::vec::IntoIter<(&'a Spanned<DeString<'a>>, Node<'a>)>,
    next: Option<(&'a Spanned<DeString<'a>>, Node<'a>)>,
}

impl<'a> Entries<'a> {
    pub(super) fn new(
        table: Node<'a>,
        entries: Vec<(&'a Spanned<DeString<'a>>, Node<'a>)>,
    ) -> Self {
        Self { table, rest: entries.into_iter(), next: None }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some((key, node)) = self.rest.next() else {
            return Ok(None);
        };
        self.next = Some((key, node));
        seed.deserialize(Key(key)).map(Some).map_err(|error| {
            let step = Step::Key(key.get_ref().as_ref().to_owned());
            error.at(key.span()).in_table(&self.table.span()).under(step)
        })
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let Some((key, node)) = self.next.take() else {
            return Err(self.table.fails(Error::new("a value without a key")));
        };
        seed.deserialize(node).map_err(|error| {
            let step = Step::Key(key.get_ref().as_ref().to_owned());
            error.at(node.span()).in_table(&self.table.span()).under(step)
        })
    }
}

/// A list's items, one after another.
pub(super) struct Items<'a> {
    list: Node<'a>,
    given: usize,
}

impl<'a> Items<'a> {
    pub(super) fn new(list: Node<'a>) -> Self {
        Self { list, given: 0 }
    }
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let DeValue::Array(items) = self.list.value.get_ref() else {
            return Ok(None);
        };
        let index = self.given;
        let Some(item) = items.get(index) else {
            return Ok(None);
        };
        self.given += 1;
        seed.deserialize(Node::new(item, self.list.reading))
            .map(Some)
            .map_err(|error| error.at(item.span()).under(Step::Item(index)))
    }
}

/// A table's key. Variables are not filled in here: a key is a name, not a value.
#[derive(Clone, Copy)]
struct Key<'a>(&'a Spanned<DeString<'a>>);

impl<'de> Deserializer<'de> for Key<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_str(self.0.get_ref())
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        let (span, origin) = (self.0.span(), Origin::Written);
        visitor.visit_seq(LocatedParts::new(self, span, origin))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct tuple identifier option seq map struct enum ignored_any
    }
}

/// What a `Located` is made of: start, end, origin and the value itself.
pub(super) struct LocatedParts<D> {
    inner: D,
    span: Range<usize>,
    origin: Origin,
    given: u8,
}

impl<D> LocatedParts<D> {
    pub(super) fn new(inner: D, span: Range<usize>, origin: Origin) -> Self {
        Self { inner, span, origin, given: 0 }
    }
}

impl<'de, D: Deserializer<'de, Error = Error> + Copy> SeqAccess<'de> for LocatedParts<D> {
    type Error = Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Error> {
        let part = self.given;
        self.given = part.saturating_add(1);
        let number = match part {
            0 => self.span.start as u64,
            1 => self.span.end as u64,
            2 => code(self.origin),
            3 => return seed.deserialize(self.inner).map(Some),
            _ => return Ok(None),
        };
        seed.deserialize(number.into_deserializer()).map(Some)
    }
}
