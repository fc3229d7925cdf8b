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

use std::ops::Range;

use super::lookup::{self, Json, RenderError, Text, Values};
use super::rendered::{Hole, HoleKind};
use super::split::check_scalar;
use super::text::{self, Piece};
use super::url::Param;
use super::{BodyEncoding, Environment, Error, Reference, Root, encode};
use crate::json::{self, Kind, Value};

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
    pub(super) fn parse(
        text: &str,
        encoding: BodyEncoding,
        env: Environment<'_>,
        errors: &mut Vec<Error>,
    ) -> Option<Body> {
        let parsed = json::Body::parse(text.to_owned().into());
        let mut parser = Parser { text, env, errors };
        match parsed {
            Ok(body) if matches!(body.root().kind(), Kind::Object | Kind::Array) => {
                match encoding {
                    BodyEncoding::Json => parser.node(body.root()).map(Body::Json),
                    BodyEncoding::Form => parser.form(body.root()),
                }
            }
            parsed => {
                let reference = parser.single(parsed.err())?;
                match encoding {
                    BodyEncoding::Json => Some(Body::Json(Node::Whole(reference))),
                    BodyEncoding::Form if reference.root == Root::Keys => {
                        let error = Error::new(reference.span, "a form's keys need a name");
                        parser.errors.push(error.help(r#"write `{"ids": "{keys}"}`"#));
                        None
                    }
                    BodyEncoding::Form => Some(Body::FormOf(reference)),
                }
            }
        }
    }

    pub(super) fn content_type(&self) -> &'static str {
        match self {
            Body::Json(_) => "application/json",
            Body::Form(_) | Body::FormOf(_) => "application/x-www-form-urlencoded",
        }
    }

    pub(super) fn references(&self) -> Vec<&Reference> {
        let mut found = Vec::new();
        match self {
            Body::Json(node) => node.collect(&mut found),
            Body::Form(params) => found.extend(
                params.iter().flat_map(|param| &param.value).filter_map(|part| part.reference()),
            ),
            Body::FormOf(reference) => found.push(reference),
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
    pub(super) fn render(
        &self,
        values: &Values<'_>,
    ) -> Result<Option<(Vec<u8>, Option<Hole>)>, RenderError> {
        match self {
            Body::Json(node) => {
                let mut out = Writer { out: Vec::with_capacity(128), hole: None };
                Ok(node.render(&mut out, values)?.then_some((out.out, out.hole)))
            }
            Body::Form(params) => {
                let mut out = String::new();
                let mut hole = None;
                for param in params {
                    let before = (!out.is_empty()).then_some('&');
                    param.render(&mut out, before, &mut hole, values)?;
                }
                let hole = hole.map(Hole::in_form);
                Ok(Some((out.into_bytes(), hole)))
            }
            Body::FormOf(reference) => {
                Ok(form_of(reference, values)?.map(|form| (form.into_bytes(), None)))
            }
        }
    }
}

struct Parser<'p> {
    text: &'p str,
    env: Environment<'p>,
    errors: &'p mut Vec<Error>,
}

impl Parser<'_> {
    /// The one reference that is the whole body.
    fn single(&mut self, invalid: Option<json::Invalid>) -> Option<Reference> {
        let mut errors = Vec::new();
        let trimmed = self.text.trim();
        let base = self.text.len() - self.text.trim_start().len();
        let pieces = text::parse(trimmed, base, self.env, &mut errors);
        if let Some(reference) = text::whole(&pieces).filter(|_| errors.is_empty()) {
            if reference.join.is_some() {
                let error = Error::new(reference.span.clone(), "a body is not joined text");
                self.errors.push(error.help("leave the separator out to send an array"));
                return None;
            }
            return Some(reference.clone());
        }
        let looks_like_json = trimmed.starts_with('[')
            || trimmed.strip_prefix('{').is_some_and(|rest| {
                rest.trim_start().starts_with(['"', '}', '{'])
            });
        match invalid.filter(|_| looks_like_json || errors.is_empty()) {
            Some(invalid) => self.errors.push(no_json(self.text, invalid)),
            None if errors.is_empty() => self.errors.push(
                Error::new(0..self.text.len(), "a body is an object, an array or one `{..}`")
                    .help(r#"as in `{args.input}` or `{"name": "{args.name}"}`"#),
            ),
            None => self.errors.append(&mut errors),
        }
        None
    }

    fn node(&mut self, value: Value<'_>) -> Option<Node> {
        Some(match value.kind() {
            Kind::Object => {
                let mut members: Vec<(Vec<u8>, Node)> = Vec::new();
                for (name, value) in value.members() {
                    let mut quoted = self.name(&name.unescape(), value)?;
                    quoted.push(b':');
                    if members.iter().any(|(known, _)| *known == quoted) {
                        let span = self.span(value);
                        self.errors.push(Error::new(span, "this property is written twice"));
                    }
                    members.push((quoted, self.node(value)?));
                }
                Node::Object(members)
            }
            Kind::Array => Node::Array(
                value.items().map(|item| self.node(item)).collect::<Option<Vec<Node>>>()?,
            ),
            Kind::String => self.string(value),
            Kind::Null | Kind::Boolean | Kind::Number => Node::Literal(value.raw().to_vec()),
        })
    }

    fn string(&mut self, value: Value<'_>) -> Node {
        let pieces = self.pieces(value);
        if let Some(reference) = text::whole(&pieces).filter(|found| found.join.is_none()) {
            return Node::Whole(reference.clone());
        }
        let mut parts = Vec::new();
        for piece in pieces {
            match piece {
                Piece::Literal { text, .. } | Piece::Known { text, .. } => {
                    match parts.last_mut() {
                        Some(Part::Literal(before)) => before.push_str(&text),
                        _ => parts.push(Part::Literal(text)),
                    }
                }
                Piece::Reference(reference) => {
                    self.check_inside(&reference);
                    parts.push(Part::Reference(reference));
                }
            }
        }
        match parts.as_slice() {
            [] => Node::Literal(b"\"\"".to_vec()),
            [Part::Literal(text)] => Node::Literal(quoted(text)),
            _ => Node::Text(parts),
        }
    }

    fn check_inside(&mut self, reference: &Reference) {
        self.errors.extend(check_scalar(reference).err());
        if reference.root == Root::Keys && reference.join.is_none() {
            let error = Error::new(reference.span.clone(), "a text takes keys joined only");
            self.errors.push(error.help("write `{keys:,}`, or `\"{keys}\"` alone for an array"));
        }
    }

    /// A property's name, quoted.
    fn name(&mut self, name: &str, value: Value<'_>) -> Option<Vec<u8>> {
        let mut literal = String::new();
        let mut errors = Vec::new();
        for piece in text::parse(name, 0, self.env, &mut errors) {
            match piece {
                Piece::Literal { text, .. } => literal.push_str(&text),
                Piece::Known { .. } | Piece::Reference(_) => {
                    let error = Error::new(self.span(value), "a property's name is no template");
                    self.errors.push(error.help("only values may hold `{..}`"));
                    return None;
                }
            }
        }
        let span = self.span(value);
        self.errors.extend(errors.into_iter().map(|error| Error { span: span.clone(), ..error }));
        Some(quoted(&literal))
    }

    /// The pieces of a string. Where it has escapes, only the string as a whole has a place.
    fn pieces(&mut self, value: Value<'_>) -> Vec<Piece> {
        let span = self.span(value);
        let Some(raw) = value.as_raw_string() else { return Vec::new() };
        if !raw.is_escaped() {
            return text::parse(&raw.unescape(), span.start + 1, self.env, self.errors);
        }
        let mut errors = Vec::new();
        let mut pieces = text::parse(&raw.unescape(), 0, self.env, &mut errors);
        self.errors.extend(errors.into_iter().map(|error| Error { span: span.clone(), ..error }));
        for piece in &mut pieces {
            if let Piece::Reference(reference) = piece {
                reference.span = span.clone();
            }
        }
        pieces
    }

    fn form(&mut self, value: Value<'_>) -> Option<Body> {
        if value.kind() != Kind::Object {
            let error = Error::new(self.span(value), "a form is an object: its fields by name");
            self.errors.push(error);
            return None;
        }
        let mut params = Vec::new();
        for (name, value) in value.members() {
            let span = self.span(value);
            let pieces = match value.kind() {
                Kind::String => self.pieces(value),
                Kind::Number | Kind::Boolean => {
                    let text = String::from_utf8_lossy(value.raw()).into_owned();
                    vec![Piece::Literal { text, span: span.clone() }]
                }
                Kind::Null | Kind::Array | Kind::Object => {
                    let error = Error::new(span, "a form's field is text");
                    self.errors.push(error.help("a list comes from a value: `\"{args.ids}\"`"));
                    continue;
                }
            };
            for piece in &pieces {
                if let Piece::Reference(reference) = piece {
                    self.errors.extend(check_scalar(reference).err());
                }
            }
            params.push(Param::of_form(&name.unescape(), pieces, span));
        }
        Some(Body::Form(params))
    }

    fn span(&self, value: Value<'_>) -> Range<usize> {
        value.span().range()
    }
}

impl Node {
    fn collect<'n>(&'n self, found: &mut Vec<&'n Reference>) {
        match self {
            Node::Literal(_) => {}
            Node::Whole(reference) => found.push(reference),
            Node::Text(parts) => found.extend(parts.iter().filter_map(Part::reference)),
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
    fn render(&self, writer: &mut Writer, values: &Values<'_>) -> Result<bool, RenderError> {
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

struct Writer {
    out: Vec<u8>,
    hole: Option<Hole>,
}

impl Writer {
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

fn no_json(text: &str, invalid: json::Invalid) -> Error {
    let at = invalid.offset.min(text.len());
    let before = text.get(..at).unwrap_or_default();
    let rest = text.get(at..).unwrap_or_default();
    let length = rest.chars().next().map_or(0, char::len_utf8);
    let error =
        Error::new(at..at + length, format!("the body is no JSON: {}", invalid.reason));
    error.help(if before.ends_with('{') && !rest.starts_with('"') {
        r#"put a value in quotes, as in `"{keys}"`: it keeps its JSON type; the braces of the JSON itself are not doubled"#
    } else {
        "a body is one `{..}`, or a JSON object or array whose strings may be templates"
    })
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
