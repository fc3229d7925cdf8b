//! serde's `Deserializer` over a spanned TOML value: fills in variables, sees unknown keys and keys
//! that are only planned, and gives every error its place.

use std::ops::Range;

use serde::de::{Deserializer, Error as _, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;
use toml::Spanned;
use toml::de::{DeString, DeTable, DeValue};

use super::Reading;
use super::access::{Entries, Items, LocatedParts};
use super::error::Error;
use super::located::{LOCATED, verbatim_start};
use crate::config::later;
use crate::config::problem::Problem;
use crate::config::substitute::{Origin, Substituted, substitute};
use crate::config::suggest::{listed, nearest};

/// A value of the document.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    pub(super) value: &'a Spanned<DeValue<'a>>,
    pub(super) reading: &'a Reading<'a>,
}

impl<'a> Node<'a> {
    pub(super) fn new(value: &'a Spanned<DeValue<'a>>, reading: &'a Reading<'a>) -> Self {
        Self { value, reading }
    }

    pub(super) fn span(&self) -> Range<usize> {
        self.value.span()
    }

    pub(super) fn fails(&self, error: Error) -> Error {
        error.at(self.span())
    }

    fn expected(&self, what: &str) -> Error {
        self.fails(Error::new(format!("expected {what}, found {}", kind(self.value.get_ref()))))
    }

    fn substituted(&self, text: &str) -> Result<Substituted, Error> {
        substitute(text, self.reading.env).map_err(|unfilled| {
            let span = match verbatim_start(self.reading.text, self.span(), text) {
                Some(start) => start + unfilled.range.start..start + unfilled.range.end,
                None => self.span(),
            };
            Error::new(unfilled.message).with_help(unfilled.help).at(span)
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
                self.reading.report(node.unknown(key, &self.span(), owner, fields));
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
            self.reading.mistake(table.start, vec![name.to_owned()]);
            let written = self.as_written(name);
            return Problem::error(source, key.span(), format!("{written} does not work yet"))
                .with_help(later.help());
        }
        let homes = (self.reading.homes)(name);
        let help = match nearest(name, fields.iter().copied()) {
            _ if !homes.is_empty() => {
                self.reading.mistake(table.start, vec![name.to_owned()]);
                let here = listed(fields.iter().copied());
                format!("it belongs to {}; known here: {here}", homes.join(" or "))
            }
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
        let shown =
            if origin == Origin::Written { format!(" `\"{text}\"`") } else { String::new() };
        Err(self.fails(
            match (later::value(owner, &text), nearest(&text, variants.iter().copied())) {
                (Some(later), _) => Error::new(format!("the value{shown} does not work yet"))
                    .with_help(later.help()),
                (None, Some(meant)) => Error::new(format!("unknown value{shown}"))
                    .with_help(format!("did you mean `\"{meant}\"`?")),
                (None, None) => Error::new(format!("unknown value{shown}"))
                    .with_help(format!("write one of {}", quoted(variants))),
            },
        ))
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
            DeValue::Datetime(_) => Err(Error::invalid_type(Unexpected::Other("a date"), &visitor)),
            DeValue::Array(_) => visitor.visit_seq(Items::new(self)),
            DeValue::Table(table) => {
                let entries =
                    table.iter().map(|(key, value)| (key, Node::new(value, self.reading)));
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
        visitor.visit_seq(LocatedParts::new(self, self.span(), origin))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let entries = self.known_entries(name, fields)?;
        visitor.visit_map(Entries::new(self, entries)).map_err(|error| self.fails(error))
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
                Err(self.expected("a list of tables").with_help(format!("write `[{header}]`")))
            }
            DeValue::String(_) => {
                let literal = self.reading.text.get(self.span()).unwrap_or_default();
                Err(self.expected("a list").with_help(format!("write `[{literal}]`")))
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

/// Whether a table's place is its header, as in `[log]`, and not a value.
fn is_header(text: &str, span: &Range<usize>) -> bool {
    let line = text.get(..span.start).unwrap_or_default().rsplit('\n').next().unwrap_or_default();
    line.trim().is_empty() && text.get(span.clone()).is_some_and(|text| text.starts_with('['))
}

fn quoted(variants: &[&str]) -> String {
    let quoted: Vec<String> = variants.iter().map(|variant| format!("\"{variant}\"")).collect();
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
