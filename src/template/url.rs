//! Path and query of a request: the literal is split at `/`, `?`, `&` and `=` once, while parsing;
//! values never are.
//!
//! Knows RFC 3986 by way of `encode`. The same parameters make the body of a form.

use std::borrow::Cow;
use std::ops::Range;

use super::encode::{self, Component};
use super::lookup::{self, RenderError, Text, Values};
use super::rendered::{Hole, HoleKind};
use super::text::Piece;
use super::{Reference, Root, request};

/// A request's path and query.
#[derive(Clone)]
pub(super) struct Url {
    pub(super) path: Vec<Segment>,
    pub(super) query: Vec<Param>,
    /// Bytes of all literals: what a rendering holds at least.
    fixed: usize,
}

/// A stretch of the path.
#[derive(Clone)]
pub(super) enum Segment {
    /// Whole segments of literal text, each after its slash.
    Literal(String),
    /// One segment with values in it, without its slash.
    Dynamic(Vec<Part>),
}

/// A parameter of a query or a form.
#[derive(Clone)]
pub(super) struct Param {
    /// The name with its `=`, encoded; the name alone where there is none.
    pub(super) head: String,
    /// The name as written.
    pub(super) name: String,
    pub(super) value: Vec<Part>,
    /// Where the value stands in the text.
    pub(super) span: Range<usize>,
}

/// A part of a segment or of a parameter's value.
#[derive(Clone)]
pub(super) enum Part {
    /// Encoded text.
    Literal(String),
    Reference(Reference),
}

impl Url {
    pub(super) fn new(path: Vec<Segment>, query: Vec<Param>) -> Url {
        let literals = path.iter().map(|segment| match segment {
            Segment::Literal(text) => text.len(),
            Segment::Dynamic(_) => 0,
        });
        let fixed = literals.chain(query.iter().map(|param| param.head.len() + 1)).sum();
        Url { path, query, fixed }
    }

    pub(super) fn references(&self) -> impl Iterator<Item = (request::Place, &Reference)> {
        let path = self.path.iter().flat_map(Segment::parts).filter_map(Part::reference);
        let query = self.query.iter().flat_map(|param| &param.value).filter_map(Part::reference);
        path.map(|reference| (request::Place::Segment, reference))
            .chain(query.map(|reference| (request::Place::Parameter, reference)))
    }

    pub(super) fn references_mut(&mut self) -> impl Iterator<Item = &mut Reference> {
        let path = self.path.iter_mut().flat_map(Segment::parts_mut);
        let query = self.query.iter_mut().flat_map(|param| &mut param.value);
        path.chain(query).filter_map(Part::reference_mut)
    }

    pub(super) fn render(
        &self,
        values: &Values<'_>,
    ) -> Result<(String, Option<Hole>), RenderError> {
        let mut out = String::with_capacity(self.fixed + 64);
        let mut hole = None;
        for segment in &self.path {
            match segment {
                Segment::Literal(text) => out.push_str(text),
                Segment::Dynamic(parts) => dynamic_segment(&mut out, &mut hole, parts, values)?,
            }
        }
        let mut before = '?';
        for param in &self.query {
            if param.render(&mut out, Some(before), &mut hole, values)? {
                before = '&';
            }
        }
        Ok((out, hole))
    }
}

impl Segment {
    fn parts(&self) -> &[Part] {
        match self {
            Segment::Literal(_) => &[],
            Segment::Dynamic(parts) => parts,
        }
    }

    fn parts_mut(&mut self) -> &mut [Part] {
        match self {
            Segment::Literal(_) => &mut [],
            Segment::Dynamic(parts) => parts,
        }
    }
}

impl Part {
    pub(super) fn reference(&self) -> Option<&Reference> {
        match self {
            Part::Literal(_) => None,
            Part::Reference(reference) => Some(reference),
        }
    }

    pub(super) fn reference_mut(&mut self) -> Option<&mut Reference> {
        match self {
            Part::Literal(_) => None,
            Part::Reference(reference) => Some(reference),
        }
    }
}

/// One segment. The whole of it is looked at once more: two harmless values may be `..` together.
fn dynamic_segment(
    out: &mut String,
    hole: &mut Option<Hole>,
    parts: &[Part],
    values: &Values<'_>,
) -> Result<(), RenderError> {
    let start = out.len();
    let mut keys = None;
    for part in parts {
        match part {
            Part::Literal(text) => out.push_str(text),
            Part::Reference(reference) if reference.root == Root::Keys => {
                keys = Some((out.len(), reference.join.unwrap_or(',')));
            }
            Part::Reference(reference) => match values.text(reference)? {
                Text::Absent => {
                    return Err(lookup::blame(reference, "is null, but part of a path"));
                }
                Text::One(text) => segment_value(out, reference, &text)?,
                Text::Many(_) if reference.join.is_none() => {
                    return Err(lookup::blame(reference, "is a list, but part of a path"));
                }
                Text::Many(texts) => {
                    joined(out, reference, &texts, Component::Path, |out, text| {
                        segment_value(out, reference, text)
                    })?
                }
            },
        }
    }
    if let Some((at, separator)) = keys {
        *hole = Some(Hole { kind: HoleKind::Path(separator), start, at, end: out.len() });
        return Ok(());
    }
    if out.get(start..).is_none_or(encode::is_dots) {
        // Parsing has refused what the literals alone would make, so a reference is to blame.
        let reference = parts.iter().filter_map(Part::reference).last();
        return Err(reference.map_or(RenderError::Null, |reference| {
            lookup::blame(reference, "makes a path segment of dots")
        }));
    }
    Ok(())
}

fn segment_value(out: &mut String, reference: &Reference, text: &str) -> Result<(), RenderError> {
    match bad_segment_value(text) {
        Some(fault) => Err(lookup::blame(reference, fault)),
        None => {
            encode::value(out, text);
            Ok(())
        }
    }
}

/// Why a value cannot be a path segment, if it cannot.
pub(super) fn bad_segment_value(text: &str) -> Option<&'static str> {
    match text {
        "" => Some("is empty, but part of a path"),
        "." | ".." => Some("is a dot, but part of a path"),
        _ => None,
    }
}

fn joined(
    out: &mut String,
    reference: &Reference,
    texts: &[Cow<'_, str>],
    component: Component,
    mut write: impl FnMut(&mut String, &str) -> Result<(), RenderError>,
) -> Result<(), RenderError> {
    for (index, text) in texts.iter().enumerate() {
        if let Some(separator) = reference.join.filter(|_| index > 0) {
            encode::separator(out, separator, component);
        }
        write(out, text)?;
    }
    Ok(())
}

impl Param {
    /// A parameter of a form: literals are values there, encoded as such.
    pub(super) fn of_form(name: &str, pieces: Vec<Piece>, span: Range<usize>) -> Param {
        let mut head = String::new();
        encode::value(&mut head, name);
        head.push('=');
        let mut value = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Literal { text, .. } | Piece::Known { text, .. } => {
                    push_literal(&mut value, |out| encode::value(out, &text));
                }
                Piece::Reference(reference) => value.push(Part::Reference(reference)),
            }
        }
        Param { head, name: name.to_owned(), value, span }
    }

    /// Writes the parameter, unless it is left out; tells whether it was written.
    pub(super) fn render(
        &self,
        out: &mut String,
        before: Option<char>,
        hole: &mut Option<Hole>,
        values: &Values<'_>,
    ) -> Result<bool, RenderError> {
        let mark = out.len();
        out.extend(before);
        let start = out.len();
        out.push_str(&self.head);
        let mut keys = None;
        let mut repeated = None;
        for part in &self.value {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Reference(reference) if reference.root == Root::Keys => {
                    keys = Some((out.len(), reference.join));
                }
                Part::Reference(reference) => match values.text(reference)? {
                    Text::Absent => {
                        let others = self.value.iter().filter_map(Part::reference);
                        lookup::may_leave_out(reference, others)?;
                        out.truncate(mark);
                        return Ok(false);
                    }
                    Text::One(text) => encode::value(out, &text),
                    Text::Many(texts) if reference.join.is_some() => {
                        joined(out, reference, &texts, Component::Query, |out, text| {
                            encode::value(out, text);
                            Ok(())
                        })?;
                    }
                    Text::Many(texts) if repeated.is_none() => {
                        repeated = Some((out.len(), texts, reference));
                    }
                    Text::Many(_) => {
                        return Err(lookup::blame(reference, "is the second list of a parameter"));
                    }
                },
            }
        }
        match (keys, repeated) {
            (Some(_), Some((_, _, reference))) => {
                return Err(lookup::blame(reference, "is the second list of a parameter"));
            }
            (Some((at, separator)), None) => {
                *hole = Some(Hole { kind: HoleKind::Query(separator), start, at, end: out.len() });
            }
            (None, Some((at, texts, _))) => repeat(out, start, at, &texts),
            (None, None) => {}
        }
        Ok(true)
    }
}

/// Turns `name=` before `at` and what follows `at` into one parameter a text.
fn repeat(out: &mut String, start: usize, at: usize, texts: &[Cow<'_, str>]) {
    let tail = out.get(at..).unwrap_or_default().to_owned();
    let head = out.get(start..at).unwrap_or_default().to_owned();
    out.truncate(start);
    for (index, text) in texts.iter().enumerate() {
        if index > 0 {
            out.push('&');
        }
        out.push_str(&head);
        encode::value(out, text);
        out.push_str(&tail);
    }
}

/// Writes to the literal at the end of the parts; begins one if there is none.
pub(super) fn push_literal(parts: &mut Vec<Part>, write: impl FnOnce(&mut String)) {
    if let Some(Part::Literal(text)) = parts.last_mut() {
        return write(text);
    }
    let mut text = String::new();
    write(&mut text);
    parts.push(Part::Literal(text));
}
