//! How a body is written: as JSON first, else as one reference.

use std::ops::Range;

use super::{Body, Node, Part, quoted};
use crate::json::{self, Kind, Value};
use crate::template::split::check_scalar;
use crate::template::text::{self, Piece};
use crate::template::url::Param;
use crate::template::{BodyEncoding, Environment, Error, Reference, Root};

impl Body {
    pub(in crate::template) fn parse(
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
            || trimmed
                .strip_prefix('{')
                .is_some_and(|rest| rest.trim_start().starts_with(['"', '}', '{']));
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
                Piece::Literal { text, .. } | Piece::Known { text, .. } => match parts.last_mut() {
                    Some(Part::Literal(before)) => before.push_str(&text),
                    _ => parts.push(Part::Literal(text)),
                },
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

fn no_json(text: &str, invalid: json::Invalid) -> Error {
    let at = invalid.offset.min(text.len());
    let before = text.get(..at).unwrap_or_default();
    let rest = text.get(at..).unwrap_or_default();
    let length = rest.chars().next().map_or(0, char::len_utf8);
    let error = Error::new(at..at + length, format!("the body is no JSON: {}", invalid.reason));
    error.help(if before.ends_with('{') && !rest.starts_with('"') {
        "put a value in quotes, as in `\"{keys}\"`: it keeps its JSON type; the braces of the JSON \
         itself are not doubled"
    } else {
        "a body is one `{..}`, or a JSON object or array whose strings may be templates"
    })
}
