//! What is wanted of an object, with the names to look out for prepared.
//! Knows paths and fields, not the bytes they are looked up in.

use crate::json::{Path, RawString, Segment};

use super::{Field, FieldValue};

/// What is wanted of an object: unique response keys in response order.
#[derive(Debug)]
pub struct Selection {
    /// The object's type, for `__typename`.
    pub type_name: Box<str>,
    /// The fields in response order.
    pub fields: Vec<Field>,
    /// What dependent fetches and computed fields read of this object; slots by index. Each path
    /// leads to one value at most.
    pub captures: Vec<Path>,
    names: Names,
    leads: Box<[Lead]>,
    capture_names: Box<[Option<u32>]>,
    has_holes: bool,
}

impl Selection {
    /// Prepares a selection: finds the property names that its fields and captures begin with.
    #[must_use]
    pub fn new(type_name: Box<str>, fields: Vec<Field>, captures: Vec<Path>) -> Self {
        let mut names = Vec::new();
        let leads = fields
            .iter()
            .enumerate()
            .map(|(index, field)| {
                let mut text = vec![if index == 0 { b'{' } else { b',' }];
                text.extend_from_slice(&field.key_json);
                let name = match &field.value {
                    FieldValue::Property(path, _) => first_name(path, &mut names),
                    _ => None,
                };
                let is_whole = match &field.value {
                    FieldValue::Property(path, _) => name.is_some() && path.segments().len() == 1,
                    _ => false,
                };
                Lead { text: text.into(), name, is_whole }
            })
            .collect();
        let capture_names = captures.iter().map(|path| first_name(path, &mut names)).collect();
        let has_holes = fields.iter().any(|field| field.value.hole().is_some());
        let names = Names::new(names);
        Self { type_name, fields, captures, names, leads, capture_names, has_holes }
    }

    /// The property names that fields and captures begin with.
    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    /// What leads to the value of each field.
    pub(crate) fn leads(&self) -> &[Lead] {
        &self.leads
    }

    /// A captured path and the name it begins with.
    pub(crate) fn capture(&self, slot: u32) -> Option<(&Path, Option<u32>)> {
        Some((self.captures.get(slot as usize)?, *self.capture_names.get(slot as usize)?))
    }

    /// Whether fetches fill places in this very object.
    pub(crate) fn has_holes(&self) -> bool {
        self.has_holes
    }
}

/// What leads to a field's value, there and in the response.
#[derive(Debug)]
pub(crate) struct Lead {
    /// `{"key":` for the first field, `,"key":` for any other.
    pub(crate) text: Box<[u8]>,
    /// The name that the field's path begins with.
    pub(crate) name: Option<u32>,
    /// Whether that name is all of the path.
    pub(crate) is_whole: bool,
}

/// The index of the name a path begins with, if it begins with one.
fn first_name(path: &Path, names: &mut Vec<Box<str>>) -> Option<u32> {
    let Some(Segment::Property(first)) = path.segments().first() else { return None };
    let known = names.iter().position(|name| name == first);
    let index = known.unwrap_or_else(|| {
        names.push(first.clone());
        names.len() - 1
    });
    u32::try_from(index).ok()
}

/// Property names to look out for, found by their length and their outermost bytes.
#[derive(Debug)]
pub(crate) struct Names {
    /// Each name, and the next one of its bucket.
    names: Box<[(Box<str>, u32)]>,
    /// The first name of each bucket. A power of two of them, at least twice as many as names.
    buckets: Box<[u32]>,
}

/// No name.
const NONE: u32 = u32::MAX;

impl Names {
    fn new(names: Vec<Box<str>>) -> Self {
        let mut buckets = vec![NONE; (names.len() * 2).next_power_of_two()];
        let chained = (0_u32..).zip(names).map(|(index, name)| {
            let bucket = bucket(name.as_bytes(), buckets.len());
            let next =
                buckets.get_mut(bucket).map_or(NONE, |first| std::mem::replace(first, index));
            (name, next)
        });
        let names = chained.collect();
        Self { names, buckets: buckets.into() }
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// The index of a name.
    #[inline]
    pub(crate) fn find(&self, name: RawString<'_>) -> Option<u32> {
        if name.is_escaped() {
            self.find_plain(name.unescape().as_bytes())
        } else {
            self.find_plain(name.raw())
        }
    }

    #[inline]
    fn find_plain(&self, name: &[u8]) -> Option<u32> {
        let mut index = *self.buckets.get(bucket(name, self.buckets.len()))?;
        while let Some((known, next)) = self.names.get(index as usize) {
            if known.as_bytes() == name {
                return Some(index);
            }
            index = *next;
        }
        None
    }
}

#[inline]
fn bucket(name: &[u8], buckets: usize) -> usize {
    let first = name.first().copied().unwrap_or_default() as usize;
    let last = name.last().copied().unwrap_or_default() as usize;
    (name.len() ^ first.wrapping_mul(7) ^ last.wrapping_mul(31)) & buckets.wrapping_sub(1)
}
