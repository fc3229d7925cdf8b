//! Body templates: JSON, or the fields of a form.
//!
//! A body is written in one of two ways:
//!
//! - one `{..}` and nothing else: `{args.input}`, `{args}`, `{keys}`, `{this.draft}`;
//! - a JSON object or array whose strings may be templates: `{"ids": "{keys}", "by":
//!   "{claims.sub}"}`. The braces of the JSON itself are not doubled; those within its strings are.
//!   A string that is exactly one `{..}` becomes the value with its JSON type; one with more to it
//!   stays a string. Property names are literal.
//!
//! An absent argument, or client header, makes its property or item disappear; a null argument is
//! null. A form has no null, so there both leave the field out; a list repeats its field.

mod parse;

use super::lookup::{self, Json, RenderError, Text, Values};
use super::rendered::{Hole, HoleKind};
use super::url::Param;
use super::{Place, Reference, Root, encode};
use crate::json::{self, Kind};

/// A body as a template.
#[derive(Clone)]
pub(super) enum Body {
    Json(Node),
    /// The fields of a form.
    Form(Vec<Param>),
    /// A form whose fields are the properties of an object.
    FormOf(Reference),
}

/// A part of a JSON body.
#[derive(Clone)]
pub(super) enum Node {
    /// JSON text.
    Literal(Vec<u8>),
    /// A value with its JSON type.
    Whole(Reference),
    /// A string with values in it.
    Text(Vec<Part>),
    /// Properties: the name with quotes and colon, and the value.
    Object(Vec<(Vec<u8>, Node)>),
    Array(Vec<Node>),
}

/// A part of a string.
#[derive(Clone)]
pub(super) enum Part {
    Literal(String),
    Reference(Reference),
}

impl Body {
    pub(super) fn content_type(&self) -> &'static str {
        match self {
            Body::Json(_) => "application/json",
            Body::Form(_) | Body::FormOf(_) => "application/x-www-form-urlencoded",
        }
    }

    pub(super) fn references(&self) -> Vec<(Place, &Reference)> {
        let mut found = Vec::new();
        match self {
            Body::Json(node) => node.collect(&mut found),
            Body::Form(params) => {
                let parts = params.iter().flat_map(|param| &param.value);
                let fields = parts.filter_map(|part| part.reference());
                found.extend(fields.map(|reference| (Place::Field, reference)));
            }
            Body::FormOf(reference) => found.push((Place::Fields, reference)),
        }
        found
    }

    pub(super) fn each_reference(&mut self, visit: &mut dyn FnMut(&mut Reference)) {
        match self {
            Body::Json(node) => node.each_reference(visit),
            Body::Form(params) => params
                .iter_mut()
                .flat_map(|param| &mut param.value)
                .filter_map(|part| part.reference_mut())
                .for_each(visit),
            Body::FormOf(reference) => visit(reference),
        }
    }

    /// The body's text; `None` where all of it is an absent argument.
    pub(super) fn render(&self, values: &Values<'_>) -> Result<Option<Written>, RenderError> {
        match self {
            Body::Json(node) => {
                let mut written = Written { out: Vec::with_capacity(128), hole: None };
                Ok(node.render(&mut written, values)?.then_some(written))
            }
            Body::Form(params) => {
                let mut out = String::new();
                let mut hole = None;
                for param in params {
                    let before = (!out.is_empty()).then_some('&');
                    param.render(&mut out, before, &mut hole, values)?;
                }
                let hole = hole.map(Hole::in_form);
                Ok(Some(Written { out: out.into_bytes(), hole }))
            }
            Body::FormOf(reference) => {
                let form = form_of(reference, values)?;
                Ok(form.map(|form| Written { out: form.into_bytes(), hole: None }))
            }
        }
    }
}

/// A body as far as it is written.
pub(super) struct Written {
    pub(super) out: Vec<u8>,
    /// Where the keys go.
    pub(super) hole: Option<Hole>,
}

impl Node {
    fn collect<'n>(&'n self, found: &mut Vec<(Place, &'n Reference)>) {
        match self {
            Node::Literal(_) => {}
            Node::Whole(reference) => found.push((Place::Json, reference)),
            Node::Text(parts) => {
                let references = parts.iter().filter_map(Part::reference);
                found.extend(references.map(|reference| (Place::Text, reference)));
            }
            Node::Object(members) => members.iter().for_each(|(_, node)| node.collect(found)),
            Node::Array(items) => items.iter().for_each(|node| node.collect(found)),
        }
    }

    fn each_reference(&mut self, visit: &mut dyn FnMut(&mut Reference)) {
        match self {
            Node::Literal(_) => {}
            Node::Whole(reference) => visit(reference),
            Node::Text(parts) => {
                for part in parts {
                    if let Part::Reference(reference) = part {
                        visit(reference);
                    }
                }
            }
            Node::Object(members) => {
                members.iter_mut().for_each(|(_, node)| node.each_reference(visit));
            }
            Node::Array(items) => items.iter_mut().for_each(|node| node.each_reference(visit)),
        }
    }

    /// Writes the value; `false` where it is absent and nothing was written.
    fn render(&self, writer: &mut Written, values: &Values<'_>) -> Result<bool, RenderError> {
        match self {
            Node::Literal(text) => writer.out.extend_from_slice(text),
            Node::Whole(reference) if reference.root == Root::Keys => {
                writer.hole(HoleKind::Json);
            }
            Node::Whole(reference) => return writer.whole(reference, values),
            Node::Text(parts) => return writer.text(parts, values),
            Node::Object(members) => {
                writer.out.push(b'{');
                let mut first = true;
                for (name, node) in members {
                    let mark = writer.out.len();
                    if !first {
                        writer.out.push(b',');
                    }
                    writer.out.extend_from_slice(name);
                    if node.render(writer, values)? {
                        first = false;
                    } else {
                        writer.out.truncate(mark);
                    }
                }
                writer.out.push(b'}');
            }
            Node::Array(items) => {
                writer.out.push(b'[');
                let mut first = true;
                for node in items {
                    let mark = writer.out.len();
                    if !first {
                        writer.out.push(b',');
                    }
                    if node.render(writer, values)? {
                        first = false;
                    } else {
                        writer.out.truncate(mark);
                    }
                }
                writer.out.push(b']');
            }
        }
        Ok(true)
    }
}

impl Written {
    fn hole(&mut self, kind: HoleKind) {
        let at = self.out.len();
        self.hole = Some(Hole { kind, start: at, at, end: at });
    }

    fn whole(&mut self, reference: &Reference, values: &Values<'_>) -> Result<bool, RenderError> {
        match values.json(reference)? {
            Json::Absent => return Ok(false),
            Json::Null => self.out.extend_from_slice(b"null"),
            Json::Value(value) => self.out.extend_from_slice(value.raw()),
            Json::Header(text) => json::write_string(&mut self.out, &text),
            Json::Key(key) => self.out.extend_from_slice(key.json().as_bytes()),
            Json::Several(items) => {
                self.out.push(b'[');
                for (index, value) in items.iter().enumerate() {
                    if index > 0 {
                        self.out.push(b',');
                    }
                    self.out.extend_from_slice(value.raw());
                }
                self.out.push(b']');
            }
        }
        Ok(true)
    }

    /// A string with values in it: absent or null as soon as one of them is.
    fn text(&mut self, parts: &[Part], values: &Values<'_>) -> Result<bool, RenderError> {
        let mark = self.out.len();
        let others = || parts.iter().filter_map(Part::reference);
        let mut null = false;
        self.out.push(b'"');
        for part in parts {
            match part {
                Part::Literal(text) => self.inside(text),
                Part::Reference(reference) if reference.root == Root::Keys => {
                    self.hole(HoleKind::JsonText(reference.join.unwrap_or(',')));
                }
                Part::Reference(reference) => match values.json(reference)? {
                    Json::Absent => {
                        lookup::may_leave_out(reference, others())?;
                        return Ok(false);
                    }
                    Json::Null => {
                        lookup::may_leave_out(reference, others())?;
                        null = true;
                    }
                    _ => self.value_inside(reference, values)?,
                },
            }
        }
        if null {
            self.out.truncate(mark);
            self.out.extend_from_slice(b"null");
        } else {
            self.out.push(b'"');
        }
        Ok(true)
    }

    fn value_inside(
        &mut self,
        reference: &Reference,
        values: &Values<'_>,
    ) -> Result<(), RenderError> {
        match (values.text(reference)?, reference.join) {
            (Text::Absent, _) => {}
            (Text::One(text), _) => self.inside(&text),
            (Text::Many(texts), Some(separator)) => {
                for (index, text) in texts.iter().enumerate() {
                    if index > 0 {
                        self.inside(separator.encode_utf8(&mut [0; 4]));
                    }
                    self.inside(text);
                }
            }
            (Text::Many(_), None) => {
                return Err(lookup::blame(reference, "is a list, but part of a text"));
            }
        }
        Ok(())
    }

    /// Writes text within a string that is open.
    fn inside(&mut self, text: &str) {
        let quoted = quoted(text);
        let inner = quoted.get(1..quoted.len().saturating_sub(1));
        self.out.extend_from_slice(inner.unwrap_or_default());
    }
}

impl Part {
    fn reference(&self) -> Option<&Reference> {
        match self {
            Part::Literal(_) => None,
            Part::Reference(reference) => Some(reference),
        }
    }
}

fn quoted(text: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 2);
    json::write_string(&mut out, text);
    out
}

/// The properties of an object as fields of a form.
fn form_of(reference: &Reference, values: &Values<'_>) -> Result<Option<String>, RenderError> {
    let object = match values.json(reference)? {
        Json::Absent | Json::Null => return Ok(None),
        Json::Value(value) if value.kind() == Kind::Object => value,
        _ => return Err(lookup::blame(reference, "is no object, but all of a form")),
    };
    let mut out = String::new();
    for (name, value) in object.members() {
        let name = name.unescape();
        match value.kind() {
            Kind::Null => {}
            Kind::Array => {
                for item in value.items() {
                    let text = lookup::scalar_text(item).ok_or_else(|| nested(reference, &name))?;
                    field(&mut out, &name, &text);
                }
            }
            _ => {
                let text = lookup::scalar_text(value).ok_or_else(|| nested(reference, &name))?;
                field(&mut out, &name, &text);
            }
        }
    }
    Ok(Some(out))
}

/// A field that would have to be an object: it is named, since the author named none.
fn nested(reference: &Reference, name: &str) -> RenderError {
    let fault = "is no single value";
    if reference.root == Root::Args && reference.path.is_root() {
        let message = format!("property `{name}` of the arguments {fault}");
        return RenderError::Refused { message };
    }
    lookup::blame(reference, &format!("has a property `{name}` that {fault}"))
}

fn field(out: &mut String, name: &str, value: &str) {
    if !out.is_empty() {
        out.push('&');
    }
    encode::value(out, name);
    out.push('=');
    encode::value(out, value);
}
