//! One request as a template: method, path and query, headers, body.

use std::fmt;

use http::header::CONTENT_TYPE;
use http::{HeaderName, HeaderValue, Method};

use super::body::Body;
use super::header::{self, HeaderText};
use super::lookup::{RenderError, Values};
use super::reference::Slot;
use super::url::Url;
use super::warning::{self, Warning};
use super::{Environment, Error, Reference, Rendered, Root, split, text};
use crate::json::Path;

/// A request, checked: only the values are missing.
#[derive(Clone)]
pub struct RequestTemplate {
    method: Method,
    url: Url,
    headers: Vec<(HeaderName, HeaderText)>,
    body: Option<(Body, Option<HeaderValue>)>,
    warnings: Vec<Warning>,
}

/// A request as it is written.
#[derive(Clone, Debug)]
pub struct RequestParts<'a> {
    /// The method.
    pub method: Method,
    /// Path and query.
    pub path: &'a str,
    /// Names and values.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body, if there is one.
    pub body: Option<&'a str>,
    /// How the body is sent.
    pub encoding: BodyEncoding,
}

/// How a body is sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum BodyEncoding {
    /// `application/json`.
    #[default]
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
}

/// Which keys a request takes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum KeyMode {
    /// None: a field's own request.
    None,
    /// `{key}`: a lookup one at a time.
    One,
    /// `{keys}`: a batch.
    Many,
}

/// A part of a request as it is written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Part {
    /// Path and query.
    Path,
    /// The name of the header at this index.
    HeaderName(usize),
    /// The value of the header at this index.
    HeaderValue(usize),
    /// The body.
    Body,
}

/// Where in a request a value stands, and so what it may be.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Place {
    /// A segment of the path, or a part of one.
    Segment,
    /// The value of a query's parameter, or a part of it.
    Parameter,
    /// The value of the header at this index, or a part of it.
    Header(usize),
    /// A value of a JSON body.
    Json,
    /// A part of a string of a JSON body.
    Text,
    /// The value of a form's field, or a part of it.
    Field,
    /// All fields of a form.
    Fields,
}

impl Place {
    /// Which text it is in.
    pub fn part(self) -> Part {
        match self {
            Place::Segment | Place::Parameter => Part::Path,
            Place::Header(index) => Part::HeaderValue(index),
            Place::Json | Place::Text | Place::Field | Place::Fields => Part::Body,
        }
    }

    /// Whether an object may stand here.
    pub fn takes_object(self) -> bool {
        matches!(self, Place::Json | Place::Fields)
    }

    /// Whether a list may stand here without being joined.
    pub fn takes_list(self) -> bool {
        matches!(self, Place::Parameter | Place::Field | Place::Json)
    }

    /// Whether an argument or a client's header may be null here: it is then left out, or null.
    pub fn takes_null(self) -> bool {
        self != Place::Segment
    }
}

/// A mistake and the part of the request it is in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartError {
    /// Which text the error's span is in.
    pub part: Part,
    /// The mistake.
    pub error: Error,
}

impl RequestTemplate {
    /// Parses a request and checks all that can be checked without a schema.
    ///
    /// # Errors
    /// All mistakes at once.
    pub fn parse(
        parts: RequestParts<'_>,
        mode: KeyMode,
        env: Environment<'_>,
    ) -> Result<RequestTemplate, Vec<PartError>> {
        let mut errors = Vec::new();
        let url = in_part(Part::Path, &mut errors, |errors| {
            let pieces = text::parse(parts.path, 0, env, errors);
            split::url(pieces, errors)
        });
        let headers = headers(&parts, env, &mut errors);
        let body = parts.body.and_then(|text| {
            in_part(Part::Body, &mut errors, |errors| {
                if matches!(parts.method, Method::GET | Method::HEAD) {
                    let message = format!("a {} has no body", parts.method);
                    let error = Error::new(0..text.len(), message);
                    errors.push(error.help("write `method: POST`, or use the query"));
                }
                Body::parse(text, parts.encoding, env, errors)
            })
        });
        let body = body.map(|body| {
            let named = headers.iter().any(|(name, _)| name == CONTENT_TYPE);
            let content_type = HeaderValue::from_static(body.content_type());
            (body, (!named).then_some(content_type))
        });
        let method = parts.method;
        let warnings = warning::of_query(&url.query, mode);
        let template = RequestTemplate { method, url, headers, body, warnings };
        template.check_keys(mode, parts.path, &mut errors);
        if errors.is_empty() { Ok(template) } else { Err(errors) }
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Everything the request reads, and the text it is in, in the order in which it is written.
    pub fn references(&self) -> impl Iterator<Item = (Part, &Reference)> {
        self.places().map(|(place, reference)| (place.part(), reference))
    }

    /// Everything the request reads, and where in the request it stands.
    pub fn places(&self) -> impl Iterator<Item = (Place, &Reference)> {
        let headers = self.headers.iter().enumerate().flat_map(|(index, (_, value))| {
            value.references().map(move |reference| (Place::Header(index), reference))
        });
        let body = self.body.iter().flat_map(|(body, _)| body.references());
        self.url.references().chain(headers).chain(body)
    }

    /// Whether this one of [`Self::references`] stands in the path proper, not in the query: a null
    /// cannot stand there.
    pub fn is_in_path(&self, reference: &Reference) -> bool {
        let mut places = self.places();
        places.any(|(place, found)| place == Place::Segment && std::ptr::eq(found, reference))
    }

    /// Turns the names of arguments into those on the wire.
    pub fn rename_args(&mut self, rename: &mut dyn FnMut(&Path) -> Path) {
        self.each_reference(&mut |reference| {
            if reference.root == Root::Args {
                reference.path = rename(&reference.path);
            }
        });
    }

    /// Gives every `this.x` its slot among the parent's captured values; equal paths share one.
    pub fn bind_this(&mut self, captures: &mut Vec<Path>) {
        self.each_reference(&mut |reference| {
            if reference.root == Root::This {
                reference.slot = Slot::bind(&reference.path, captures);
            }
        });
    }

    /// What is allowed, but seldom meant.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Renders everything but the keys.
    ///
    /// # Errors
    /// Why there is no request for these values.
    pub fn render(&self, values: &Values<'_>) -> Result<Rendered, RenderError> {
        let (url, mut hole) = self.url.render(values)?;
        let mut headers = Vec::with_capacity(self.headers.len() + 1);
        for (name, value) in &self.headers {
            if let Some(value) = value.render(values)? {
                headers.push((name.clone(), value));
            }
        }
        let mut body = None;
        if let Some((template, content_type)) = &self.body
            && let Some(written) = template.render(values)?
        {
            headers.extend(content_type.clone().map(|value| (CONTENT_TYPE, value)));
            body = Some(written.out);
            hole = hole.or(written.hole);
        }
        Ok(Rendered { method: self.method.clone(), url, headers, body, hole })
    }

    fn each_reference(&mut self, visit: &mut dyn FnMut(&mut Reference)) {
        self.url.references_mut().for_each(&mut *visit);
        self.headers.iter_mut().for_each(|(_, value)| value.references_mut().for_each(&mut *visit));
        if let Some((body, _)) = &mut self.body {
            body.each_reference(visit);
        }
    }

    fn check_keys(&self, mode: KeyMode, path: &str, errors: &mut Vec<PartError>) {
        let found: Vec<(Part, &Reference)> = self
            .references()
            .filter(|(_, reference)| matches!(reference.root, Root::Key | Root::Keys))
            .collect();
        let mut places = 0;
        for (part, reference) in &found {
            let (message, help) = match (mode, &reference.root) {
                (KeyMode::None, Root::Key) => {
                    ("`{key}` is for the lookup of a type", "`{args.id}` is an argument")
                }
                (KeyMode::None, _) => (
                    "`{keys}` needs a batch",
                    r#"add `batch: {key: "this.id", by: "id"}` to the `@rest`"#,
                ),
                (KeyMode::One, Root::Keys) => (
                    "`{keys}` needs a batch",
                    r#"add `batch: {by: "id"}`, or ask one at a time with `{key}`"#,
                ),
                (KeyMode::Many, Root::Key) => {
                    ("a batch sends many keys", "write `{keys}`, or `{keys:,}` to join them")
                }
                (KeyMode::Many, _) if places > 0 => {
                    ("the keys go to one place only", "leave this `{keys}` out")
                }
                _ => {
                    places += 1;
                    continue;
                }
            };
            let error = Error::new(reference.span.clone(), message).help(help);
            errors.push(PartError { part: *part, error });
        }
        let missing = match mode {
            _ if !found.is_empty() || !errors.is_empty() => return,
            KeyMode::None => return,
            KeyMode::One => Error::new(0..path.len(), "a lookup must send the `{key}`")
                .help("as in `/users/{key}`, or `/users?id={keys}` with a `batch`"),
            KeyMode::Many => Error::new(0..path.len(), "a batch must send the `{keys}`")
                .help("as in `/users?id={keys}`, or `\"{keys}\"` in a body"),
        };
        errors.push(PartError { part: Part::Path, error: missing });
    }
}

/// Shows what is read; literal text may hold what the environment gave, and is left out.
impl fmt::Debug for RequestTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reads: Vec<_> =
            self.places().map(|(place, found)| (place, found.as_written())).collect();
        f.debug_struct("RequestTemplate")
            .field("method", &self.method)
            .field("reads", &reads)
            .finish_non_exhaustive()
    }
}

fn headers(
    parts: &RequestParts<'_>,
    env: Environment<'_>,
    errors: &mut Vec<PartError>,
) -> Vec<(HeaderName, HeaderText)> {
    let mut headers: Vec<(HeaderName, HeaderText)> = Vec::new();
    for (index, (name, value)) in parts.headers.iter().enumerate() {
        let value = in_part(Part::HeaderValue(index), errors, |errors| {
            HeaderText::parse(value, env, errors)
        });
        in_part(Part::HeaderName(index), errors, |errors| match header::parse_name(name) {
            Ok(name) if headers.iter().any(|(known, _)| *known == name) => {
                let error = Error::new(0..name.as_str().len(), "this header is written twice");
                errors.push(error.help("join the values in one"));
            }
            Ok(name) => headers.push((name, value)),
            Err(error) => errors.push(error),
        });
    }
    headers
}

/// Collects the errors of one part.
fn in_part<T>(
    part: Part,
    errors: &mut Vec<PartError>,
    parse: impl FnOnce(&mut Vec<Error>) -> T,
) -> T {
    let mut found = Vec::new();
    let parsed = parse(&mut found);
    errors.extend(found.into_iter().map(|error| PartError { part, error }));
    parsed
}
