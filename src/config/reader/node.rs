//! serde's `Deserializer` over a spanned TOML value: fills in variables, sees unknown keys and keys
//! that are only planned, and gives every error its place.

use std::ops::Range;

use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::Reading;
use super::error::{Error, Step};
use super::located::{LOCATED, code, verbatim_start};
use crate::config::later;
use crate::config::problem::Problem;
use crate::config::substitute::{Origin, Substituted, substitute};
use crate::config::suggest::{listed, nearest};

/// A value of the document.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    value: &'a Spanned<DeValue<'a>>,
    reading: &'a Reading<'a>,
}

impl<'a> Node<'a> {
    pub(super) fn new(value: &'a Spanned<DeValue<'a>>, reading: &'a Reading<'a>) -> Self {
        Self { value, reading }
    }

    fn span(&self) -> Range<usize> {
        self.value.span()
    }

    fn fails(&self, error: Error) -> Error {
        error.at(self.span())
    }

    fn expected(&self, what: &str) -> Error {
        self.fails(Error::new(format!(
            "expected {what}, found {}",
            kind(self.value.get_ref())
        )))
    }

    fn substituted(&self, text: &str) -> Result<Substituted, Error> {
        substitute(text, self.reading.env).map_err(|unfilled| {
            let span = match verbatim_start(self.reading.text, self.span(), text) {
                Some(start) => start + unfilled.range.start..start + unfilled.range.end,
                None => self.span(),
            };
            Error::new(unfilled.message)
                .with_help(unfilled.help)
                .at(span)
        })
    }

    fn table(&self) -> Result<&'a DeTable<'a>, Error> {
        match self.value.get_ref() {
            DeValue::Table(table) => Ok(table),
            DeValue::Array(items) if is_header(self.reading.text, &self.span()) => {
                let first = items.first().map_or(self.span(), Spanned::span);
                let header = self.reading.text.get(first).unwrap_or_default();
                let single = header.trim_start_matches('[').trim_end_matches(']');
                let help = format!("there is one of it; write `[{single}]`");
                Err(self.expected("a table").with_help(help))
            }
            _ => Err(self.expected("a table")),
        }
    }

    /// The entries of a table that its struct knows; the others are reported.
    fn known_entries(
        &self,
        owner: &'static str,
        fields: &'static [&'static str],
    ) -> Result<Vec<(&'a Spanned<DeString<'a>>, Node<'a>)>, Error> {
        let mut known = Vec::new();
        for (key, value) in self.table()? {
            let node = Node::new(value, self.reading);
            if fields.contains(&key.get_ref().as_ref()) {
                known.push((key, node));
            } else {
                self.reading
                    .report(node.unknown(key, &self.span(), owner, fields));
            }
        }
        Ok(known)
    }

    fn unknown(
        &self,
        key: &Spanned<DeString<'_>>,
        table: &Range<usize>,
        owner: &'static str,
        fields: &'static [&'static str],
    ) -> Problem {
        let (source, name) = (self.reading.source, key.get_ref().as_ref());
        if let Some(later) = later::key(owner, name) {
            let written = self.as_written(name);
            return Problem::error(source, key.span(), format!("{written} does not work yet"))
                .with_help(later.help());
        }
        let help = match nearest(name, fields.iter().copied()) {
            Some(meant) => {
                self.reading.mistake(table.start, vec![meant.to_owned()]);
                format!("did you mean `{meant}`?")
            }
            None => format!("known here: {}", listed(fields.iter().copied())),
        };
        Problem::error(source, key.span(), format!("unknown key `{name}`")).with_help(help)
    }

    /// A key as its user wrote it: with brackets where it is a header.
    fn as_written(&self, name: &str) -> String {
        let header = match self.value.get_ref() {
            DeValue::Array(items) => items.first().map_or(self.span(), Spanned::span),
            _ => self.span(),
        };
        match self.reading.text.get(header.clone()) {
            Some(text) if is_header(self.reading.text, &header) => format!("`{text}`"),
            _ => format!("`{name}`"),
        }
    }

    fn variant(
        &self,
        owner: &'static str,
        variants: &'static [&'static str],
    ) -> Result<String, Error> {
        let DeValue::String(written) = self.value.get_ref() else {
            return Err(self.expected(&format!("one of {}", quoted(variants))));
        };
        let Substituted { text, origin } = self.substituted(written)?;
        if variants.contains(&text.as_str()) {
            return Ok(text);
        }
        // What the environment holds is not for messages.
        let shown = if origin == Origin::Written {
            format!("`\"{text}\"`")
        } else {
            "this".into()
        };
        Err(self.fails(match later::value(owner, &text) {
            Some(later) => Error::new(format!("{shown} does not work yet")).with_help(later.help()),
            None => Error::new(format!("{shown} is not a value this can have")).with_help(
                match nearest(&text, variants.iter().copied()) {
                    Some(meant) => format!("did you mean `\"{meant}\"`?"),
                    None => format!("write one of {}", quoted(variants)),
                },
            ),
        }))
    }

    fn integer<'de, V: Visitor<'de>>(
        &self,
        digits: &str,
        radix: u32,
        visitor: V,
    ) -> Result<V::Value, Error> {
        match i64::from_str_radix(digits, radix) {
            Ok(number) => visitor.visit_i64(number),
            Err(_) => Err(Error::new("this number is too large")),
        }
    }
}

impl<'de> Deserializer<'de> for Node<'_> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value.get_ref() {
            DeValue::String(text) => visitor.visit_string(self.substituted(text)?.text),
            DeValue::Integer(number) => self.integer(number.as_str(), number.radix(), visitor),
            DeValue::Float(number) => match number.as_str().parse() {
                Ok(number) => visitor.visit_f64(number),
                Err(_) => Err(Error::new("this is not a number")),
            },
            DeValue::Boolean(value) => visitor.visit_bool(*value),
            DeValue::Datetime(_) => {
                Err(Error::new("no setting is a date").with_help("write a date as a string"))
            }
            DeValue::Array(_) => visitor.visit_seq(Items::new(self)),
            DeValue::Table(table) => {
                let entries = table
                    .iter()
                    .map(|(key, value)| (key, Node::new(value, self.reading)));
                visitor.visit_map(Entries::new(self, entries.collect()))
            }
        }
        .map_err(|error| self.fails(error))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
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
        name: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        if name != LOCATED {
            return self.deserialize_any(visitor);
        }
        let origin = match self.value.get_ref() {
            DeValue::String(text) => self.substituted(text)?.origin,
            _ => Origin::Written,
        };
        visitor.visit_seq(LocatedParts {
            inner: self,
            span: self.span(),
            origin,
            given: 0,
        })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let entries = self.known_entries(name, fields)?;
        visitor
            .visit_map(Entries::new(self, entries))
            .map_err(|error| self.fails(error))
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.table()?;
        self.deserialize_any(visitor)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.value.get_ref() {
            DeValue::Array(_) => self.deserialize_any(visitor),
            DeValue::Table(_) if is_header(self.reading.text, &self.span()) => {
                let header = self.reading.text.get(self.span()).unwrap_or_default();
                Err(self
                    .expected("a list of tables")
                    .with_help(format!("write `[{header}]`")))
            }
            _ => Err(self.expected("a list")),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let variant = self.variant(name, variants)?;
        visitor.visit_enum(variant.into_deserializer())
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct tuple identifier
    }
}

/// A table's entries, one after another.
struct Entries<'a> {
    table: Node<'a>,
    rest: std::vec::IntoIter<(&'a Spanned<DeString<'a>>, Node<'a>)>,
    next: Option<(&'a Spanned<DeString<'a>>, Node<'a>)>,
}

impl<'a> Entries<'a> {
    fn new(table: Node<'a>, entries: Vec<(&'a Spanned<DeString<'a>>, Node<'a>)>) -> Self {
        Self {
            table,
            rest: entries.into_iter(),
            next: None,
        }
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
            error
                .at(key.span())
                .in_table(&self.table.span())
                .under(step)
        })
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let Some((key, node)) = self.next.take() else {
            return Err(self.table.fails(Error::new("a value without a key")));
        };
        seed.deserialize(node).map_err(|error| {
            let step = Step::Key(key.get_ref().as_ref().to_owned());
            error
                .at(node.span())
                .in_table(&self.table.span())
                .under(step)
        })
    }
}

/// A list's items, one after another.
struct Items<'a> {
    list: Node<'a>,
    given: usize,
}

impl<'a> Items<'a> {
    fn new(list: Node<'a>) -> Self {
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
        visitor.visit_seq(LocatedParts {
            inner: self,
            span,
            origin,
            given: 0,
        })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct tuple identifier option seq map struct enum ignored_any
    }
}

/// What a `Located` is made of: start, end, origin and the value itself.
struct LocatedParts<D> {
    inner: D,
    span: Range<usize>,
    origin: Origin,
    given: u8,
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

/// Whether a table's place is its header, as in `[log]`, and not a value.
fn is_header(text: &str, span: &Range<usize>) -> bool {
    let line = text
        .get(..span.start)
        .unwrap_or_default()
        .rsplit('\n')
        .next()
        .unwrap_or_default();
    line.trim().is_empty()
        && text
            .get(span.clone())
            .is_some_and(|text| text.starts_with('['))
}

fn quoted(variants: &[&str]) -> String {
    let quoted: Vec<String> = variants
        .iter()
        .map(|variant| format!("\"{variant}\""))
        .collect();
    listed(quoted.iter().map(String::as_str))
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
